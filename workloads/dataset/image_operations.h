// Cutting images and changing their channels.
#pragma once

#include <cstdint>

#include "workloads/dataset/image.h"

namespace qsim {

/// Rows `top` to `top + height - 1` and so on; they lie in the image.
[[nodiscard]] Image crop(const Image& image, std::int64_t left, std::int64_t top, std::int64_t width,
                         std::int64_t height);

/// Grey three times; RGB as it is.
[[nodiscard]] Image to_rgb(const Image& image);

/// Luma of ITU-R BT.601 as Pillow's convert("L"): (19595 R + 38470 G + 7471 B + 2^15) >> 16. Grey as it is.
[[nodiscard]] Image to_grey(const Image& image);

/// Red and blue exchanged. For 3 channels.
[[nodiscard]] Image swap_red_blue(Image image);

}  // namespace qsim
