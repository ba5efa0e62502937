#include "quantization/float_forms.h"

#include <utility>

namespace qsim {

FloatForms::FloatForms(Graph& graph) : graph_(graph), others_(graph.tensors.size(), kNoTensor) {}

TensorId FloatForms::add_tensor(Tensor tensor, const std::string& suffix) {
  tensor.name += suffix;
  graph_.tensors.push_back(std::move(tensor));
  return static_cast<TensorId>(graph_.tensors.size() - 1);
}

TensorId FloatForms::other(TensorId id, Tensor form, const std::string& place) {
  TensorId& known = others_[static_cast<std::size_t>(id)];
  if (known != kNoTensor) return known;
  const bool to_floats = form.is_float();
  form.required_value.reset();
  known = add_tensor(std::move(form), to_floats ? "#dequantize" : "#quantize");
  const Op op = to_floats ? Op(DequantizeOp{}) : Op(QuantizeOp{});
  graph_.nodes.push_back({graph_.tensor(known).name, place, op, {id}, {known}});
  return known;
}

void FloatForms::set_other(TensorId id, TensorId other) {
  others_[static_cast<std::size_t>(id)] = other;
}

}  // namespace qsim
