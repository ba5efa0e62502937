// Output shapes of operations from their input shapes.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "workloads/graph/graph.h"

namespace qsim {

/// A shape, or why there is none.
struct InferredShape {
  Shape shape;
  std::string problem;  ///< Empty when `shape` is right; otherwise what was expected of the operands.

  [[nodiscard]] bool ok() const { return problem.empty(); }
};

/// Shape of the only output. `inputs` are the shapes of the node's inputs in their order (a bias may be left
/// out). `declared` decides what the operation leaves open: the target of a reshape (one dimension may be
/// -1), the height and width of a transposed convolution and of a resize (whose scales decide when it is
/// absent), the leading dimensions of a fully connected layer
/// (rows x outputs when absent). Dimensions are at least 1; sizes that overflow are a problem.
[[nodiscard]] InferredShape infer_output_shape(const Op& op, std::span<const Shape> inputs,
                                               const std::optional<Shape>& declared);

[[nodiscard]] inline InferredShape wrong_shape(std::string problem) {
  return {{}, std::move(problem)};
}

/// numpy: aligned at the last dimension, equal or 1.
[[nodiscard]] InferredShape broadcast_shapes(const Shape& a, const Shape& b);

/// Output length of a window along one dimension:
/// floor((in + pad_before + pad_after - ((kernel - 1) * dilation + 1)) / stride) + 1; 0 when it does not fit.
[[nodiscard]] std::int64_t window_output_size(std::int64_t in, std::int64_t kernel, std::int64_t stride,
                                              std::int64_t dilation, std::int64_t pad_before,
                                              std::int64_t pad_after);

}  // namespace qsim
