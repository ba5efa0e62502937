#include "workloads/graph/layout.h"

#include <cassert>
#include <cstring>

namespace qsim {
namespace {

/// Element strides of a row-major shape.
std::vector<std::int64_t> row_major_strides(const Shape& shape) {
  std::vector<std::int64_t> strides(shape.size(), 1);
  for (std::size_t d = shape.size(); d-- > 1;) strides[d - 1] = strides[d] * shape[d];
  return strides;
}

/// Walks the model's elements in their order and gives the graph's index of each.
class ModelOrder {
 public:
  explicit ModelOrder(const Tensor& tensor) : shape_(model_shape(tensor)), index_(shape_.size(), 0) {
    const std::vector<std::int64_t> strides = row_major_strides(tensor.shape);
    for (const int axis : tensor.model_axes) strides_.push_back(strides[static_cast<std::size_t>(axis)]);
  }
  [[nodiscard]] std::int64_t graph_index() const { return offset_; }
  void next() {
    for (std::size_t d = shape_.size(); d-- > 0;) {
      offset_ += strides_[d];
      if (++index_[d] < shape_[d]) return;
      index_[d] = 0;
      offset_ -= strides_[d] * shape_[d];
    }
  }

 private:
  Shape shape_;
  std::vector<std::int64_t> strides_, index_;
  std::int64_t offset_ = 0;
};

}  // namespace

Shape model_shape(const Tensor& tensor) {
  if (tensor.model_axes.empty()) return tensor.shape;
  Shape shape;
  for (const int axis : tensor.model_axes) shape.push_back(tensor.shape[static_cast<std::size_t>(axis)]);
  return shape;
}

TensorData to_model_layout(TensorData data, const Tensor& tensor) {
  assert(data.shape == tensor.shape);
  if (tensor.model_axes.empty()) return data;
  TensorData moved(data.type, model_shape(tensor));
  const std::size_t bytes = element_size_bytes(data.type);
  ModelOrder order(tensor);
  for (std::size_t at = 0; at < moved.bytes.size(); at += bytes, order.next()) {
    std::memcpy(&moved.bytes[at], &data.bytes[static_cast<std::size_t>(order.graph_index()) * bytes], bytes);
  }
  return moved;
}

TensorData from_model_layout(TensorData data, const Tensor& tensor) {
  assert(data.shape == model_shape(tensor));
  if (tensor.model_axes.empty()) return data;
  TensorData moved(data.type, tensor.shape);
  const std::size_t bytes = element_size_bytes(data.type);
  ModelOrder order(tensor);
  for (std::size_t at = 0; at < moved.bytes.size(); at += bytes, order.next()) {
    std::memcpy(&moved.bytes[static_cast<std::size_t>(order.graph_index()) * bytes], &data.bytes[at], bytes);
  }
  return moved;
}

}  // namespace qsim
