#include "tests/unit/simulate/random_layers.h"

#include <algorithm>

namespace qsim::test {

RandomLayers::RandomLayers(Choice& choice, Semantics semantics, int activation_bits, bool is_signed)
    : choice_(choice), activation_bits_(activation_bits), is_signed_(is_signed) {
  network_.graph.name = "random";
  network_.graph.source = "random";
  network_.graph.semantics = semantics;
}

TensorId RandomLayers::input(const Shape& dims) {
  const TensorId x = activation("input", dims);
  network_.graph.inputs.push_back(x);
  network_.inputs.push_back(random_values(x));
  return x;
}

RandomNetwork RandomLayers::finish(TensorId output) {
  network_.graph.outputs.push_back(output);
  return std::move(network_);
}

TensorId RandomLayers::add_tensor(Tensor tensor) {
  graph().tensors.push_back(std::move(tensor));
  return static_cast<TensorId>(graph().tensors.size()) - 1;
}

TensorId RandomLayers::activation(const std::string& name, const Shape& dims) {
  Quantization q;
  q.bits = activation_bits_;
  q.is_signed = is_signed_;
  q.scales = {choice_.scale()};
  const auto range = q.format();
  q.zero_points = {activation_bits_ == 16 && !is_onnx()
                       ? 0
                       : static_cast<std::int32_t>(choice_.between(range.min() / 2, range.max() / 2))};
  return add_tensor({name + std::to_string(graph().tensors.size()),
                     dims,
                     smallest_element_type(q.bits, q.is_signed),
                     q,
                     {},
                     {},
                     {}});
}

TensorId RandomLayers::constant_activation(const std::string& name, const Shape& dims) {
  const TensorId id = activation(name, dims);
  graph().tensor(id).data = random_values(id);
  return id;
}

TensorData RandomLayers::random_values(TensorId id) {
  const Tensor& tensor = graph().tensor(id);
  const auto range = tensor.quantization->format();
  TensorData data(tensor.type, tensor.shape);
  for (std::int64_t i = 0; i < data.size(); ++i) data.set(i, choice_.between(range.min(), range.max()));
  return data;
}

TensorId RandomLayers::add_node(Op op, std::vector<TensorId> inputs, TensorId output) {
  Node node;
  node.name = graph().tensor(output).name;
  node.place = "node " + std::to_string(graph().nodes.size());
  node.op = std::move(op);
  node.inputs = std::move(inputs);
  node.outputs = {output};
  graph().nodes.push_back(std::move(node));
  return output;
}

TensorId RandomLayers::same_grid(TensorId like, const Shape& dims) {
  const TensorId id = activation("y", dims);
  graph().tensor(id).quantization = graph().tensor(like).quantization;
  return id;
}

}  // namespace qsim::test
