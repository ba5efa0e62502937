// Where an output position of a resize lies in its input.
#pragma once

#include <cstdint>

#include "workloads/graph/graph.h"

namespace qsim {

/// One direction of a resize.
struct ResizeAxis {
  std::int64_t in = 1, out = 1;  ///< Elements.
  float scale = 1.0F;            ///< out / in, as the model states it.
};

/// Position of output element `o` in the input in elements, as ONNX Runtime computes it in float32: the
/// formulas of ONNX, Resize, coordinate_transformation_mode (graph.h has them). It may lie outside the input.
[[nodiscard]] float onnx_coordinate(std::int64_t o, const ResizeAxis& axis, ResizeCoordinates coordinates);

}  // namespace qsim
