// Pictures in files: JPEG and PNG.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "workloads/dataset/image.h"

namespace qsim {

/// Decodes a JPEG or a PNG, told apart by content, to the pixels of Pillow's Image.open(file).convert("RGB"),
/// with one channel where the file is grey. Embedded profiles, gamma and the orientation in EXIF are not
/// applied.
///   JPEG  baseline and progressive, Huffman or arithmetic, 8 bits; grey, YCbCr, RGB, CMYK and YCCK
///         (inverted as Adobe writes them; R = K' - C' K' / 255 with C' = 255 - C, K' = 255 - K, rounded)
///   PNG   every colour type and depth: palettes are looked up, alpha is dropped, 16 bits keep the high byte;
///         16-bit grey without alpha becomes min(value, 255), as Pillow has it
/// Throws InputError (file `name`) for anything else, for what libjpeg or libpng call an error, for what
/// libjpeg warns of (data that end early or are damaged), and for more than `max_pixels`: checked, like the
/// plausibility of the size for so many bytes, before pixels are allocated.
[[nodiscard]] Image decode_image(std::span<const std::uint8_t> bytes, const std::string& name,
                                 std::int64_t max_pixels = kMaxImagePixels);

}  // namespace qsim
