#include "workloads/dataset/image.h"

namespace qsim {

Image::Image(std::int64_t columns, std::int64_t rows, std::int64_t channel_count)
    : width(columns),
      height(rows),
      channels(channel_count),
      pixels(static_cast<std::size_t>(columns * rows * channel_count)) {}

std::string to_string(const Image& image) {
  return std::to_string(image.width) + "x" + std::to_string(image.height) + ", " +
         std::to_string(image.channels) + (image.channels == 1 ? " channel" : " channels");
}

}  // namespace qsim
