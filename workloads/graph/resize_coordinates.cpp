#include "workloads/graph/resize_coordinates.h"

#include <stdexcept>

namespace qsim {

float onnx_coordinate(std::int64_t o, const ResizeAxis& axis, ResizeCoordinates coordinates) {
  const auto position = static_cast<float>(o);
  if (axis.scale == 1.0F) return position;
  switch (coordinates) {
    case ResizeCoordinates::half_pixel:
      return (position + 0.5F) / axis.scale - 0.5F;
    case ResizeCoordinates::pytorch_half_pixel:
      return axis.out > 1 ? (position + 0.5F) / axis.scale - 0.5F : 0.0F;
    case ResizeCoordinates::asymmetric:
      return position / axis.scale;
    case ResizeCoordinates::align_corners:
      return axis.out == 1 ? 0.0F
                           : position * static_cast<float>(axis.in - 1) / static_cast<float>(axis.out - 1);
    case ResizeCoordinates::tf_half_pixel_for_nn:
      return (position + 0.5F) / axis.scale;
  }
  throw std::logic_error("resize coordinates out of range");
}

}  // namespace qsim
