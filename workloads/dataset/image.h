// A decoded picture.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace qsim {

/// 8-bit pixels [height, width, channels], channels fastest; 1 channel is grey, 3 are red, green, blue.
struct Image {
  std::int64_t width = 0;
  std::int64_t height = 0;
  std::int64_t channels = 0;
  std::vector<std::uint8_t> pixels;

  Image() = default;
  /// Black. The caller has checked the size against kMaxImagePixels.
  Image(std::int64_t columns, std::int64_t rows, std::int64_t channel_count);

  [[nodiscard]] const std::uint8_t* row(std::int64_t y) const { return &pixels[index_of_row(y)]; }
  [[nodiscard]] std::uint8_t* row(std::int64_t y) { return &pixels[index_of_row(y)]; }

 private:
  [[nodiscard]] std::size_t index_of_row(std::int64_t y) const {
    return static_cast<std::size_t>(y * width * channels);
  }
};

/// No image, whether decoded, between two steps of a preprocessing or resized, has more pixels: 268 MB in
/// RGB. It is the size from which Pillow warns of a decompression bomb (Image.MAX_IMAGE_PIXELS).
inline constexpr std::int64_t kMaxImagePixels = 89'478'485;

[[nodiscard]] std::string to_string(const Image& image);  ///< "500x375, 3 channels", width first.

}  // namespace qsim
