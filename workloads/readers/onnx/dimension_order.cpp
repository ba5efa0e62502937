#include "workloads/readers/onnx/dimension_order.h"

#include <numeric>

namespace qsim::onnx_format {

DimensionOrder DimensionOrder::plain(std::size_t rank) {
  DimensionOrder order{std::vector<int>(rank), rank};
  std::iota(order.axes.begin(), order.axes.end(), 0);
  return order;
}

DimensionOrder DimensionOrder::channels_last(std::size_t rank) {
  if (rank < 3) return plain(rank);
  if (rank == 3) return {{0, 3, 2}, 4};
  return axis_last(rank, 1);
}

DimensionOrder DimensionOrder::axis_last(std::size_t rank, std::size_t axis) {
  DimensionOrder order = plain(rank);
  for (std::size_t d = axis + 1; d < rank; ++d) --order.axes[d];
  order.axes[axis] = static_cast<int>(rank) - 1;
  return order;
}

Shape DimensionOrder::graph_shape(const Shape& model_shape) const {
  Shape shape(rank, 1);
  for (std::size_t d = 0; d < axes.size(); ++d) shape[static_cast<std::size_t>(axes[d])] = model_shape[d];
  return shape;
}

std::vector<int> DimensionOrder::model_dimensions() const {
  std::vector<int> dimensions(rank, -1);
  for (std::size_t d = 0; d < axes.size(); ++d)
    dimensions[static_cast<std::size_t>(axes[d])] = static_cast<int>(d);
  return dimensions;
}

bool same_element_order(const Shape& model_shape, const DimensionOrder& a, const DimensionOrder& b) {
  // Dimensions of one element change nothing.
  const auto long_ones = [&](const DimensionOrder& order) {
    std::vector<int> dimensions;
    for (const int d : order.model_dimensions()) {
      if (d >= 0 && model_shape[static_cast<std::size_t>(d)] != 1) dimensions.push_back(d);
    }
    return dimensions;
  };
  return long_ones(a) == long_ones(b);
}

}  // namespace qsim::onnx_format
