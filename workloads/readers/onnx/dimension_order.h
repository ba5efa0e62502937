// How a tensor of the model lies in the graph: NCHW in the file, channels last on the chip.
#pragma once

#include <cstddef>
#include <vector>

#include "workloads/graph/tensor.h"

namespace qsim::onnx_format {

/// Dimension i of the model is dimension axes[i] of the graph's tensor, which has `rank` dimensions; those
/// that no dimension of the model takes have one element (the height of a 1-D convolution).
struct DimensionOrder {
  std::vector<int> axes;
  std::size_t rank = 0;

  [[nodiscard]] static DimensionOrder plain(std::size_t rank);
  /// [N, C, L] as [N, 1, L, C], [N, C, H, W] as [N, H, W, C]; plain below 3 dimensions.
  [[nodiscard]] static DimensionOrder channels_last(std::size_t rank);
  /// Plain but for `axis`, which goes last.
  [[nodiscard]] static DimensionOrder axis_last(std::size_t rank, std::size_t axis);

  [[nodiscard]] bool is_plain() const { return *this == plain(axes.size()); }
  [[nodiscard]] Shape graph_shape(const Shape& model_shape) const;
  /// The graph's dimensions in ascending order, each with the model's dimension that lies there or -1.
  [[nodiscard]] std::vector<int> model_dimensions() const;
  friend bool operator==(const DimensionOrder&, const DimensionOrder&) = default;
};

/// The elements of a tensor of this shape follow each other in the same order in both.
[[nodiscard]] bool same_element_order(const Shape& model_shape, const DimensionOrder& a,
                                      const DimensionOrder& b);

}  // namespace qsim::onnx_format
