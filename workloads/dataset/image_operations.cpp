#include "workloads/dataset/image_operations.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace qsim {

Image crop(const Image& image, std::int64_t left, std::int64_t top, std::int64_t width, std::int64_t height) {
  assert(left >= 0 && top >= 0 && left + width <= image.width && top + height <= image.height);
  Image result(width, height, image.channels);
  for (std::int64_t y = 0; y < height; ++y) {
    std::copy_n(image.row(top + y) + left * image.channels, width * image.channels, result.row(y));
  }
  return result;
}

Image to_rgb(const Image& image) {
  if (image.channels == 3) return image;
  Image result(image.width, image.height, 3);
  for (std::size_t i = 0; i < image.pixels.size(); ++i)
    std::fill_n(&result.pixels[3 * i], 3, image.pixels[i]);
  return result;
}

Image to_grey(const Image& image) {
  if (image.channels == 1) return image;
  Image result(image.width, image.height, 1);
  for (std::size_t i = 0; i < result.pixels.size(); ++i) {
    const std::uint8_t* pixel = &image.pixels[3 * i];
    const std::uint32_t luma = 19595U * pixel[0] + 38470U * pixel[1] + 7471U * pixel[2] + 0x8000U;
    result.pixels[i] = static_cast<std::uint8_t>(luma >> 16);
  }
  return result;
}

Image swap_red_blue(Image image) {
  assert(image.channels == 3);
  for (std::size_t i = 0; i + 2 < image.pixels.size(); i += 3)
    std::swap(image.pixels[i], image.pixels[i + 2]);
  return image;
}

}  // namespace qsim
