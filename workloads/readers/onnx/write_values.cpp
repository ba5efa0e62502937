#include "workloads/readers/onnx/write_values.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "workloads/graph/layout.h"

namespace qsim::onnx_format {
namespace {

/// Elements in the order of `layout`.
TensorData moved(const TensorData& data, const Layout& layout) {
  Tensor tensor;
  tensor.shape = data.shape;
  tensor.type = data.type;
  tensor.model_axes = layout;
  return layout.empty() ? data : to_model_layout(data, tensor);
}

std::vector<std::int64_t> as_integers(const Layout& layout) {
  return {layout.begin(), layout.end()};
}

}  // namespace

Layout graph_order(std::size_t rank) {
  Layout layout(rank);
  std::iota(layout.begin(), layout.end(), 0);
  return layout;
}

Layout channels_first(std::size_t rank) {
  Layout layout = graph_order(rank);
  if (rank > 2) std::rotate(layout.begin() + 1, layout.end() - 1, layout.end());
  return layout;
}

Shape shape_in(const Shape& shape, const Layout& layout) {
  Shape result;
  for (const int axis : layout) result.push_back(shape[static_cast<std::size_t>(axis)]);
  return result;
}

int position_of(const Layout& layout, int dimension) {
  const auto found = std::find(layout.begin(), layout.end(), dimension);
  return found == layout.end() ? -1 : static_cast<int>(found - layout.begin());
}

Values::Values(const Graph& graph, ModelBuilder& builder) : graph_(graph), builder_(builder) {
  for (const Tensor& tensor : graph.tensors) builder.reserve(tensor.name);
}

Layout Values::model_layout(TensorId id) const {
  const Tensor& tensor = graph_.tensor(id);
  return tensor.model_axes.empty() ? graph_order(tensor.shape.size()) : tensor.model_axes;
}

Layout Values::defined_layout(TensorId id) const {
  const auto found = defined_.find(id);
  return found == defined_.end() ? graph_order(graph_.tensor(id).shape.size()) : found->second;
}

std::string Values::define(TensorId id, const Layout& layout) {
  const bool is_models = layout == model_layout(id);
  const std::string value =
      is_models ? builder_.own_value(name(id)) : builder_.unique_value(name(id) + "#moved");
  defined_[id] = layout;
  values_[{id, layout}] = value;
  return value;
}

std::string Values::get(TensorId id, const Layout& layout) {
  const auto known = values_.find({id, layout});
  if (known != values_.end()) return known->second;
  if (graph_.tensor(id).is_constant() && defined_.count(id) == 0) return constant_in(id, layout);
  const Layout from = defined_layout(id);
  const std::string value = move(id, values_.at({id, from}), from, layout);
  values_[{id, layout}] = value;
  return value;
}

std::string Values::constant_in(TensorId id, const Layout& layout) {
  return values_[{id, layout}] = builder_.constant(name(id), moved(*graph_.tensor(id).data, layout), true);
}

/// Dimensions of one element go and come by Reshape, the others change places by Transpose.
std::string Values::move(TensorId id, const std::string& value, const Layout& from, const Layout& to) {
  const Shape& shape = graph_.tensor(id).shape;
  const auto output_name = [&](const Layout& layout) {
    const bool is_models = layout == to && to == model_layout(id);
    return is_models ? builder_.own_value(name(id)) : builder_.unique_value(name(id) + "#moved");
  };
  Layout kept;
  for (const int axis : from) {
    if (position_of(to, axis) >= 0) kept.push_back(axis);
  }
  for (const int axis : to) {
    if (position_of(kept, axis) < 0) kept.push_back(axis);
  }
  std::string result = value;
  if (kept != from) {
    const std::string reshaped = output_name(kept);
    const std::string target = builder_.integers(name(id) + "#shape", shape_in(shape, kept));
    builder_.node("Reshape", name(id) + "#reshape", {result, target}, reshaped);
    result = reshaped;
  }
  if (kept == to) return result;
  std::vector<std::int64_t> permutation;
  for (const int axis : to) permutation.push_back(position_of(kept, axis));
  const std::string transposed = output_name(to);
  set_ints(builder_.node("Transpose", name(id) + "#transpose", {result}, transposed), "perm", permutation);
  return transposed;
}

std::string Values::get_broadcast(TensorId id, const Layout& layout) {
  const Tensor& tensor = graph_.tensor(id);
  const std::size_t missing = layout.size() - std::min(layout.size(), tensor.shape.size());
  if (missing == 0) return get(id, layout);
  // Dimension d of the result is dimension d - missing of the operand.
  Shape padded(missing, 1);
  padded.insert(padded.end(), tensor.shape.begin(), tensor.shape.end());
  if (tensor.is_constant() && defined_.count(id) == 0) {
    TensorData data = *tensor.data;
    data.shape = padded;
    return builder_.constant(tensor.name, moved(data, layout), true);
  }
  const std::string value = get(id, graph_order(tensor.shape.size()));
  const std::string whole = builder_.unique_value(tensor.name + "#broadcast");
  builder_.node("Reshape", tensor.name + "#reshape",
                {value, builder_.integers(tensor.name + "#broadcast_shape", padded)}, whole);
  if (std::is_sorted(layout.begin(), layout.end())) return whole;
  const std::string transposed = builder_.unique_value(tensor.name + "#broadcast");
  set_ints(builder_.node("Transpose", tensor.name + "#transpose", {whole}, transposed), "perm",
           as_integers(layout));
  return transposed;
}

std::string Values::scale(TensorId id) {
  const Quantization& q = *graph_.tensor(id).quantization;
  const std::string wanted = name(id) + "#scale";
  return q.scales.size() == 1 ? builder_.scalar(wanted, q.scales[0]) : builder_.floats(wanted, q.scales);
}

std::string Values::zero_point(TensorId id) {
  const Tensor& tensor = graph_.tensor(id);
  const Quantization& q = *tensor.quantization;
  const std::size_t slices = q.scales.size();
  TensorData data(tensor.type, slices == 1 ? Shape{} : Shape{static_cast<std::int64_t>(slices)});
  for (std::size_t i = 0; i < slices; ++i)
    data.set(static_cast<std::int64_t>(i), q.zero_point(static_cast<std::int64_t>(i)));
  return builder_.constant(name(id) + "#zero_point", data);
}

std::string Values::real(TensorId id, const std::string& value, const Layout& layout) {
  const auto known = real_.find(value);
  if (known != real_.end()) return known->second;
  const std::string output = builder_.unique_value(value + "#real");
  auto& node =
      builder_.node("DequantizeLinear", value + "#dequantize", {value, scale(id), zero_point(id)}, output);
  const Quantization& q = *graph_.tensor(id).quantization;
  if (q.scales.size() > 1) set_int(node, "axis", position_of(layout, q.axis));
  return real_[value] = output;
}

}  // namespace qsim::onnx_format
