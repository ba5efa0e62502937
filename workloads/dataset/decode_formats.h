// The two formats behind decode_image, and what they share.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "workloads/dataset/image.h"

namespace qsim {

/// What a decoder is given; `name` is for messages.
struct EncodedImage {
  std::span<const std::uint8_t> bytes;
  const std::string& name;
  std::int64_t max_pixels;
};

[[nodiscard]] Image decode_jpeg(const EncodedImage& encoded);
[[nodiscard]] Image decode_png(const EncodedImage& encoded);

/// InputError for an image that a library cannot decode, with the library's message.
[[noreturn]] void fail_decoding(const EncodedImage& encoded, const char* format, const std::string& message);

/// InputError unless width x height is at most max_pixels and can come from so many bytes, a byte of the file
/// standing for at most `pixels_per_byte` pixels.
void check_size(const EncodedImage& encoded, const char* format, std::int64_t width, std::int64_t height,
                std::int64_t pixels_per_byte);

}  // namespace qsim
