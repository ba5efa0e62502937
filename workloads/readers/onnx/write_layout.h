// Order of dimensions of a value that is written.
#pragma once

#include <cstddef>
#include <vector>

#include "workloads/graph/tensor.h"

namespace qsim::onnx_format {

/// Dimension i of the ONNX value is dimension layout[i] of the graph's tensor; what it leaves out has one
/// element.
using Layout = std::vector<int>;

[[nodiscard]] Layout graph_order(std::size_t rank);  ///< {0, 1, .., rank - 1}
/// Batch, channels, then the others: what convolutions and pools of ONNX take.
[[nodiscard]] Layout channels_first(std::size_t rank);
[[nodiscard]] Shape shape_in(const Shape& shape, const Layout& layout);
/// Position of a dimension of the graph's tensor; -1 where the layout leaves it out.
[[nodiscard]] int position_of(const Layout& layout, int dimension);

}  // namespace qsim::onnx_format
