#include "workloads/graph/layout.h"

#include <cassert>

#include "workloads/graph/strided_copy.h"

namespace qsim {

Shape model_shape(const Tensor& tensor) {
  if (tensor.model_axes.empty()) return tensor.shape;
  Shape shape;
  for (const int axis : tensor.model_axes) shape.push_back(tensor.shape[static_cast<std::size_t>(axis)]);
  return shape;
}

TensorData to_model_layout(TensorData data, const Tensor& tensor) {
  assert(data.shape == tensor.shape);
  if (tensor.model_axes.empty()) return data;
  const std::vector<std::int64_t> graph_strides = row_major_strides(tensor.shape);
  StridedSource source{data.bytes, {}};
  for (const int axis : tensor.model_axes)
    source.strides.push_back(graph_strides[static_cast<std::size_t>(axis)]);
  TensorData moved(data.type, model_shape(tensor));
  copy_strided(moved.bytes, moved.shape, element_size_bytes(data.type), source);
  return moved;
}

TensorData from_model_layout(TensorData data, const Tensor& tensor) {
  assert(data.shape == model_shape(tensor));
  if (tensor.model_axes.empty()) return data;
  const std::vector<std::int64_t> model_strides = row_major_strides(data.shape);
  // A dimension that none of the model's takes has one element.
  StridedSource source{data.bytes, std::vector<std::int64_t>(tensor.shape.size(), 0)};
  for (std::size_t d = 0; d < model_strides.size(); ++d)
    source.strides[static_cast<std::size_t>(tensor.model_axes[d])] = model_strides[d];
  TensorData moved(data.type, tensor.shape);
  copy_strided(moved.bytes, moved.shape, element_size_bytes(data.type), source);
  return moved;
}

}  // namespace qsim
