#include <algorithm>
#include <cmath>
#include <optional>

#include "base/error.h"
#include "sim/compare/suspects.h"
#include "workloads/ops/binary.h"
#include "workloads/ops/unary.h"

namespace qsim {
namespace {

/// The node alone: its activations are the graph's inputs.
Graph single_node_graph(const LayerInputs& layer, Semantics semantics) {
  Graph graph;
  graph.source = layer.graph.source;
  graph.semantics = semantics;
  Node node = layer.node;
  const auto copy = [&](TensorId id) {
    const auto same_name = [&](const Tensor& tensor) { return tensor.name == layer.graph.tensor(id).name; };
    const auto found = std::find_if(graph.tensors.begin(), graph.tensors.end(), same_name);
    if (found != graph.tensors.end()) return static_cast<TensorId>(found - graph.tensors.begin());
    graph.tensors.push_back(layer.graph.tensor(id));
    const auto copied = static_cast<TensorId>(graph.tensors.size() - 1);
    if (!graph.tensors.back().is_constant()) graph.inputs.push_back(copied);
    return copied;
  };
  for (TensorId& id : node.inputs) id = id == kNoTensor ? id : copy(id);
  node.outputs[0] = copy(node.outputs[0]);
  std::erase(graph.inputs, node.outputs[0]);
  graph.outputs = {node.outputs[0]};
  graph.nodes = {std::move(node)};
  return graph;
}

/// The node as the executor computes it under one semantics; nothing where that one does not have it.
std::optional<TensorData> with_semantics(const LayerInputs& layer, Semantics semantics) {
  const Graph graph = single_node_graph(layer, semantics);
  try {
    validate(graph);
  } catch (const InputError&) {
    return std::nullopt;
  }
  Executor executor(graph);
  const Node& node = graph.nodes[0];
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const TensorId id = node.inputs[i];
    if (id != kNoTensor && !graph.tensor(id).is_constant()) executor.set_input(id, *layer.values[i]);
  }
  static_cast<void>(executor.run_node(node, MacContext{}));
  return executor.value(node.outputs[0]);
}

/// scale * (q - zero_point) of an element of an operand.
template <typename Real>
Real dequantized(const Tensor& tensor, const TensorData& data, std::int64_t index) {
  const Quantization& q = *tensor.quantization;
  return static_cast<Real>(data.at(index) - q.zero_point()) * static_cast<Real>(q.scale());
}

/// Index into an operand of `shape` of element `index` of the broadcast `result`.
std::int64_t broadcast_index(const Shape& shape, const Shape& result, std::int64_t index) {
  std::int64_t operand = 0, stride = 1;
  for (std::size_t d = 1; d <= result.size(); ++d) {
    const std::int64_t size = result[result.size() - d];
    const std::int64_t position = index % size;
    index /= size;
    if (d > shape.size()) continue;
    const std::int64_t operand_size = shape[shape.size() - d];
    operand += stride * (operand_size == 1 ? 0 : position);
    stride *= operand_size;
  }
  return operand;
}

/// Value of every output element before the division by the output's scale; nothing where it has no formula.
template <typename Real>
std::optional<std::vector<Real>> real_binary(const LayerInputs& layer, Real (*function)(Real a, Real b)) {
  if (function == nullptr) return std::nullopt;
  const Tensor& a = layer.graph.tensor(layer.node.inputs[0]);
  const Tensor& b = layer.graph.tensor(layer.node.inputs[1]);
  const Shape& y = layer.output().shape;
  std::vector<Real> values;
  for (std::int64_t i = 0; i < element_count(y); ++i) {
    values.push_back(function(dequantized<Real>(a, *layer.values[0], broadcast_index(a.shape, y, i)),
                              dequantized<Real>(b, *layer.values[1], broadcast_index(b.shape, y, i))));
  }
  return values;
}

/// Mean of the elements of each window that lie inside the input.
std::vector<double> real_average_pool(const LayerInputs& layer) {
  const auto& op = std::get<Pool2dOp>(layer.node.op);
  const Tensor& x = layer.graph.tensor(layer.node.inputs[0]);
  const Shape& y = layer.output().shape;
  std::vector<double> values;
  for (std::int64_t i = 0; i < element_count(y); ++i) {
    const std::int64_t channel = i % y[3], ox = i / y[3] % y[2], oy = i / y[3] / y[2] % y[1];
    const std::int64_t image = i / y[3] / y[2] / y[1];
    double sum = 0.0;
    std::int64_t count = 0;
    for (std::int64_t kernel = 0; kernel < op.kernel_h * op.kernel_w; ++kernel) {
      const std::int64_t iy = oy * op.stride_h - op.pad_top + kernel / op.kernel_w;
      const std::int64_t ix = ox * op.stride_w - op.pad_left + kernel % op.kernel_w;
      if (iy < 0 || ix < 0 || iy >= x.shape[1] || ix >= x.shape[2]) continue;
      sum += dequantized<double>(x, *layer.values[0],
                                 ((image * x.shape[1] + iy) * x.shape[2] + ix) * x.shape[3] + channel);
      ++count;
    }
    values.push_back(sum / static_cast<double>(count));
  }
  return values;
}

std::vector<double> real_unary(const LayerInputs& layer) {
  const auto* op = std::get_if<UnaryOp>(&layer.node.op);
  std::vector<double> values;
  for (std::int64_t i = 0; i < element_count(layer.output().shape); ++i) {
    const auto x = dequantized<double>(layer.graph.tensor(layer.node.inputs[0]), *layer.values[0], i);
    values.push_back(op == nullptr ? x : unary_row(op->kind).math.real(*op, x));
  }
  return values;
}

std::optional<std::vector<double>> real_values(const LayerInputs& layer) {
  if (const auto* binary = std::get_if<BinaryOp>(&layer.node.op))
    return real_binary<double>(layer, binary_row(binary->kind).real);
  if (const auto* pool = std::get_if<Pool2dOp>(&layer.node.op)) {
    if (pool->kind == PoolKind::average) return real_average_pool(layer);
    return std::nullopt;
  }
  const bool is_unary =
      std::holds_alternative<UnaryOp>(layer.node.op) || std::holds_alternative<QuantizeOp>(layer.node.op);
  return is_unary ? std::optional(real_unary(layer)) : std::nullopt;
}

template <typename Real, typename Round>
TensorData quantized(const LayerInputs& layer, const std::vector<Real>& values, Round round) {
  const ClampRange clamp = output_clamp(layer.graph, layer.node);
  TensorData output(layer.output().type, layer.output().shape);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto value = static_cast<double>(round(values[i]));
    output.set(static_cast<std::int64_t>(i),
               static_cast<std::int64_t>(std::clamp<double>(value, clamp.min, clamp.max)));
  }
  return output;
}

void add_real_arithmetic(const LayerInputs& layer, std::vector<Suspect>& result) {
  const std::optional<std::vector<double>> real = real_values(layer);
  if (!real) return;
  const Quantization& y = *layer.output().quantization;
  const auto scale = static_cast<double>(y.scale());
  const std::int32_t z = y.zero_point();
  result.push_back({"float64_half_even", "the real value in float64, half to even",
                    quantized(layer, *real, [=](double v) { return std::nearbyint(v / scale) + z; })});
  result.push_back({"float64_half_away", "the real value in float64, half away from zero",
                    quantized(layer, *real, [=](double v) { return std::round(v / scale) + z; })});
  const auto* binary = std::get_if<BinaryOp>(&layer.node.op);
  if (binary == nullptr) return;
  const std::optional<std::vector<float>> values = real_binary<float>(layer, binary_row(binary->kind).single);
  result.push_back(
      {"dequantize_quantize",
       "v / s_y + z in float32 of dequantized operands, half to even: ONNX Runtime on WebAssembly",
       quantized(layer, *values,
                 [&](float v) { return std::nearbyint(v / y.scale() + static_cast<float>(z)); })});
}

}  // namespace

std::vector<Suspect> vector_suspects(const LayerInputs& layer) {
  std::vector<Suspect> result;
  if (auto output = with_semantics(layer, Semantics::onnx))
    result.push_back({"onnx", "the arithmetic of ONNX Runtime", std::move(*output)});
  if (auto output = with_semantics(layer, Semantics::tflite))
    result.push_back({"tflite", "the arithmetic of TFLite's reference kernels", std::move(*output)});
  const Tensor& x = layer.graph.tensor(layer.node.inputs[0]);
  if (x.quantization && layer.output().quantization) add_real_arithmetic(layer, result);
  return result;
}

}  // namespace qsim
