// Resampling of 8-bit images, bit for bit as Pillow's Image.resize computes it.
#pragma once

#include <cstdint>

#include "workloads/dataset/image.h"

namespace qsim {

enum class Interpolation { nearest, bilinear, bicubic, lanczos };

/// Bilinear, bicubic (a = -0.5) and Lanczos (3 lobes) are antialiased: where the image shrinks, the filter is
/// stretched by the ratio. Columns first, then rows, but rows first where the height shrinks by more than
/// twice what the width shrinks by; each pass is rounded to 8 bits, and left out where it keeps the size. For
/// output i of a pass from n to m pixels, with r = n / m and s = max(r, 1), in double:
///   c = (i + 0.5) * r                                          centre in the input
///   taps j from floor(c - support * s + 0.5) to floor(c + support * s + 0.5) - 1, inside the input
///   w_j = f((j - c + 0.5) / s) / sum                           f(x) = filter, support 1, 2 or 3
///   out = clamp((2^21 + sum_j in_j * rha(w_j * 2^22)) >> 22)   rha: halves away from zero
/// Nearest takes floor((i + 0.5) * r) for rows and columns, the sum accumulated in double.
/// Source: Pillow 13.0.0, src/libImaging/Resample.c and Geometry.c. Before 13, Pillow always takes columns
/// first.
///
/// `width` and `height` are at least 1, and their product at most kMaxImagePixels.
[[nodiscard]] Image resize(const Image& image, std::int64_t width, std::int64_t height,
                           Interpolation interpolation);

}  // namespace qsim
