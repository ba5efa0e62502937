#include "tests/unit/simulate/layer_graph.h"

namespace qsim::test {

namespace {

Tensor activation(const std::string& name, const Shape& shape, float scale) {
  Tensor tensor;
  tensor.name = name;
  tensor.shape = shape;
  tensor.quantization = Quantization{8, true, {scale}, {-3}, -1, 0};
  return tensor;
}

/// Repeatable values that fill [low, high] unevenly.
TensorData pattern(const Shape& shape, std::int64_t low, std::int64_t high) {
  TensorData data(ElementType::i8, shape);
  for (std::int64_t i = 0; i < data.size(); ++i) data.set(i, low + (i * 53 + i / 7 * 31) % (high - low + 1));
  return data;
}

}  // namespace

Graph layer_graph(const LayerSize& size) {
  const std::int64_t pad = size.kernel / 2;
  const auto out = [&](std::int64_t in) { return (in + 2 * pad - size.kernel) / size.stride + 1; };
  Graph graph;
  graph.name = graph.source = "layer";
  graph.tensors.push_back(activation("x", {1, size.height, size.width, size.channels}, 0.05F));
  Tensor weights =
      activation("w", {size.outputs, size.kernel, size.kernel, size.channels / size.groups}, 0.01F);
  weights.quantization = Quantization{size.weight_bits, true, {0.01F}, {0}, -1, 0};
  const auto format = weights.quantization->format();
  weights.data = pattern(weights.shape, format.min(), format.max());
  graph.tensors.push_back(weights);
  graph.tensors.push_back(activation("y", {1, out(size.height), out(size.width), size.outputs}, 0.6F));
  Node node;
  node.name = node.place = "y";
  Conv2dOp op;
  op.pad_top = op.pad_bottom = op.pad_left = op.pad_right = pad;
  op.stride_h = op.stride_w = size.stride;
  op.groups = size.groups;
  node.op = op;
  node.inputs = {0, 1, kNoTensor};
  node.outputs = {2};
  graph.nodes.push_back(node);
  graph.inputs = {0};
  graph.outputs = {2};
  return graph;
}

TensorData pattern_input(const Graph& graph) {
  return pattern(graph.tensor(graph.inputs[0]).shape, -128, 127);
}

}  // namespace qsim::test
