// The matrix product behind a convolution: rows are output pixels, the reduction runs over kernel rows,
// kernel columns, then input channels of the group, ascending.
//
// A transposed convolution is the convolution, stride 1, of the input with (stride - 1) zeros inserted
// between its elements, by the kernel turned by 180 degrees:
//   y[oy] = sum_kh' x'[oy + kh' - (KH - 1 - pad_top)] * w[KH - 1 - kh'],   x'[iy * stride] = x[iy], else z_x.
// An inserted element has the value of the zero point, as padding has. Its reduction order, which chunks
// follow, is that of the turned kernel: kh', kw', channel.
#pragma once

#include <cstdint>

#include "workloads/graph/graph.h"

namespace qsim {

struct ConvGeometry {
  std::int64_t batch = 1, in_h = 1, in_w = 1, in_channels = 1;
  std::int64_t out_h = 1, out_w = 1, out_channels = 1;
  std::int64_t kernel_h = 1, kernel_w = 1;
  std::int64_t stride_h = 1, stride_w = 1;
  std::int64_t dilation_h = 1, dilation_w = 1;
  std::int64_t pad_top = 0, pad_left = 0;   ///< May be negative for a transposed convolution.
  std::int64_t insert_h = 1, insert_w = 1;  ///< Distance of input elements after zero insertion.
  std::int64_t groups = 1;
  bool is_turned = false;  ///< The kernel is that of a transposed convolution, turned by 180 degrees.

  [[nodiscard]] std::int64_t rows() const { return batch * out_h * out_w; }
  [[nodiscard]] std::int64_t group_channels() const { return in_channels / groups; }
  [[nodiscard]] std::int64_t depth() const { return kernel_h * kernel_w * group_channels(); }
  [[nodiscard]] std::int64_t group_outputs() const { return out_channels / groups; }
  /// Row r of the left operand is the input's pixel r as it lies in memory.
  [[nodiscard]] bool is_pointwise() const {
    return kernel_h == 1 && kernel_w == 1 && stride_h == 1 && stride_w == 1 && pad_top == 0 &&
           pad_left == 0 && insert_h == 1 && insert_w == 1 && groups == 1 && out_h == in_h && out_w == in_w;
  }
};

/// Geometry of a node on the MAC array. A fully connected layer is a pointwise convolution over its rows; so
/// is a product of two activations, each of its matrices a row of the image.
[[nodiscard]] ConvGeometry conv_geometry(const Graph& graph, const Node& node);

}  // namespace qsim
