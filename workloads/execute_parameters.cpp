// What the arithmetic of a node is: parameters from shapes, scales and zero points, for both levels of
// values.
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>

#include "hw_models/arithmetic/activation_tables.h"
#include "hw_models/arithmetic/tflite_functions.h"
#include "workloads/execute.h"
#include "workloads/execute_nodes.h"

namespace qsim {
namespace {

using namespace arithmetic;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

struct RealBounds {
  float low = -kInfinity, high = kInfinity;
};

RealBounds bounds_of(Activation activation) {
  switch (activation) {
    case Activation::none:
      return {};
    case Activation::relu:
      return {0.0F, kInfinity};
    case Activation::relu6:
      return {0.0F, 6.0F};
    case Activation::relu_n1_to_1:
      return {-1.0F, 1.0F};
  }
  throw std::logic_error("activation out of range");
}

Activation activation_of(UnaryKind kind) {
  if (kind == UnaryKind::relu6) return Activation::relu6;
  return kind == UnaryKind::relu_n1_to_1 ? Activation::relu_n1_to_1 : Activation::relu;
}

QuantizedType type_of(const Tensor& tensor) {
  const Quantization& q = *tensor.quantization;
  return {q.format(), q.scale(), q.zero_point()};
}

bool same_scale(const QuantizedType& a, const QuantizedType& b) {
  return a.scale == b.scale && a.zero_point == b.zero_point;
}

/// The fused activation of a node; none where its kind has none.
Activation fused_activation(const Node& node) {
  return std::visit(
      [](const auto& op) {
        if constexpr (requires { op.activation; }) {
          return op.activation;
        } else {
          return Activation::none;
        }
      },
      node.op);
}

ClampLimits clamp_limits(const Graph& graph, const Node& node) {
  const ClampRange range = output_clamp(graph, node);
  return {range.min, range.max};
}

/// ONNX Runtime: a float32 function between dequantize and quantize.
TableFunction onnx_table(const UnaryOp& op, const QuantizedType& in, const QuantizedType& out) {
  switch (op.kind) {
    case UnaryKind::logistic:
      return make_onnx_table(in, out, [](float x) { return 1.0F / (1.0F + std::exp(-x)); });
    case UnaryKind::tanh:
      return make_onnx_table(in, out, [](float x) { return std::tanh(x); });
    case UnaryKind::leaky_relu:
      return make_onnx_table(in, out, [alpha = op.alpha](float x) { return x >= 0.0F ? x : x * alpha; });
    default:
      break;
  }
  const RealBounds bounds = bounds_of(activation_of(op.kind));
  return make_onnx_table(in, out,
                         [bounds](float x) { return std::fmin(std::fmax(x, bounds.low), bounds.high); });
}

TableFunction tflite_table(const UnaryOp& op, const QuantizedType& in, const QuantizedType& out) {
  switch (op.kind) {
    case UnaryKind::logistic:
      return make_logistic_table(in, out);
    case UnaryKind::tanh:
      return make_tanh_table(in, out);
    case UnaryKind::leaky_relu:
      return make_leaky_relu_table(in, out, op.alpha);
    default:
      break;
  }
  const RealBounds bounds = bounds_of(activation_of(op.kind));
  return make_relu_table(in, out, bounds.low, bounds.high);
}

/// Integers at another scale: concatenation inputs, QUANTIZE from integer to integer.
UnaryFunction rescale(const Graph& graph, const QuantizedType& in, const QuantizedType& out) {
  if (graph.semantics == Semantics::onnx) return make_onnx_table(in, out, [](float x) { return x; });
  return make_requantize_table(in, out);
}

/// sum_k w[n][k] of each output channel.
std::vector<std::int64_t> weight_sums(const TensorData& weights, std::int64_t out_channels) {
  const auto depth = static_cast<std::size_t>(weights.size() / out_channels);
  std::vector<std::int64_t> sums;
  visit_element_type(weights.type, [&](auto zero) {
    const auto values = weights.as<decltype(zero)>();
    for (std::size_t begin = 0; begin < values.size(); begin += depth) {
      const auto channel = values.subspan(begin, depth);
      sums.push_back(std::accumulate(channel.begin(), channel.end(), std::int64_t{0}));
    }
  });
  return sums;
}

}  // namespace

RoundingProfile automatic_rounding_profile(const Graph& graph, const Node& node) {
  if (graph.rounding_profile) return *graph.rounding_profile;
  if (graph.semantics == Semantics::onnx) return RoundingProfile::float32;
  // FULLY_CONNECTED rounds once: round(acc * M) with M in double. The 64-bit product rounds the same value
  // once.
  if (std::holds_alternative<FullyConnectedOp>(node.op)) return RoundingProfile::fixed_point_single_rounding;
  const bool wide_activations = graph.tensor(node.inputs[0]).quantization->bits > 8;
  // The int16 kernels keep the int8 kernels' 32-bit arithmetic where the bias has 32 bits.
  const bool narrow_bias = node.inputs.size() > 2 && node.inputs[2] != kNoTensor &&
                           graph.tensor(node.inputs[2]).type == ElementType::i32;
  return wide_activations && !narrow_bias ? RoundingProfile::fixed_point_16bit_multiplier
                                          : RoundingProfile::fixed_point_double_rounding;
}

// b'[n] = b[n] - z_x * sum_k w[n][k] + K * z_x * z_w[n]
std::vector<std::int64_t> folded_bias(const Graph& graph, const Node& node) {
  const Tensor& weights = graph.tensor(node.inputs[1]);
  const std::int64_t out_channels = weights.shape[0];
  const std::int64_t depth = element_count(weights.shape) / out_channels;
  const std::int64_t input_zero_point = graph.tensor(node.inputs[0]).quantization->zero_point();
  const bool has_bias = node.inputs.size() > 2 && node.inputs[2] != kNoTensor;
  std::vector<std::int64_t> bias = weight_sums(*weights.data, out_channels);
  for (std::int64_t n = 0; n < out_channels; ++n) {
    std::int64_t& value = bias[static_cast<std::size_t>(n)];
    const std::int64_t weight_zero_point = weights.quantization->zero_point(n);
    value = depth * input_zero_point * weight_zero_point - input_zero_point * value;
    if (has_bias) value += graph.tensor(node.inputs[2]).data->at(n);
  }
  return bias;
}

// M[n] = s_x * s_w[n] / s_y.
std::vector<ChannelScale> channel_scales(const Graph& graph, const Node& node, RoundingProfile profile) {
  const float input_scale = graph.tensor(node.inputs[0]).quantization->scale();
  const float output_scale = graph.tensor(node.outputs[0]).quantization->scale();
  const Tensor& weights = graph.tensor(node.inputs[1]);
  std::vector<ChannelScale> scales;
  scales.reserve(static_cast<std::size_t>(weights.shape[0]));
  for (std::int64_t n = 0; n < weights.shape[0]; ++n) {
    scales.push_back(make_channel_scale(profile, input_scale, weights.quantization->scale(n), output_scale));
  }
  return scales;
}

ClampRange output_clamp(const Graph& graph, const Node& node) {
  const RealBounds bounds = bounds_of(fused_activation(node));
  const ClampLimits limits =
      activation_limits(type_of(graph.tensor(node.outputs[0])), bounds.low, bounds.high);
  return {limits.min, limits.max};
}

UnaryFunction unary_function(const Graph& graph, const Node& node, std::size_t input) {
  const Tensor& x = graph.tensor(node.inputs[input]);
  const Tensor& y = graph.tensor(node.outputs[0]);
  if (x.is_float()) {
    const QuantizedType out = type_of(y);
    return QuantizeFunction{out.scale, out.zero_point, out.format, graph.semantics == Semantics::tflite};
  }
  const QuantizedType in = type_of(x);
  if (y.is_float()) return DequantizeFunction{in.scale, in.zero_point};
  const QuantizedType out = type_of(y);
  if (const auto* op = std::get_if<UnaryOp>(&node.op)) {
    if (graph.semantics == Semantics::onnx) return onnx_table(*op, in, out);
    return tflite_table(*op, in, out);
  }
  if (std::holds_alternative<QuantizeOp>(node.op)) return rescale(graph, in, out);
  if (std::holds_alternative<ConcatOp>(node.op) && !(same_scale(in, out) && in.format == out.format)) {
    // TFLite's int16 concatenation copies the stored integers whatever their scales.
    const bool copies = graph.semantics == Semantics::tflite && in.format.bits > 8;
    if (!copies) return rescale(graph, in, out);
  }
  return CopyFunction{};
}

BinaryFunction binary_function(const Graph& graph, const Node& node) {
  const auto& op = std::get<BinaryOp>(node.op);
  const QuantizedType a = type_of(graph.tensor(node.inputs[0]));
  const QuantizedType b = type_of(graph.tensor(node.inputs[1]));
  const QuantizedType y = type_of(graph.tensor(node.outputs[0]));
  const ClampLimits limits = clamp_limits(graph, node);
  const bool subtract = op.kind == BinaryKind::sub;
  if (graph.semantics == Semantics::tflite) {
    if (op.kind == BinaryKind::mul) return make_tflite_mul(a, b, y, limits);
    return make_tflite_add(a, b, y, limits, subtract);
  }
  if (op.kind == BinaryKind::mul) {
    return OnnxMulFunction{a.scale,      b.scale,      y.scale,    a.zero_point,
                           b.zero_point, y.zero_point, limits.min, limits.max};
  }
  return OnnxAddFunction{subtract,     a.scale,      b.scale,    y.scale,   a.zero_point,
                         b.zero_point, y.zero_point, limits.min, limits.max};
}

WindowFunction window_function(const Graph& graph, const Node& node) {
  const QuantizedType x = type_of(graph.tensor(node.inputs[0]));
  const QuantizedType y = type_of(graph.tensor(node.outputs[0]));
  const ClampLimits limits = clamp_limits(graph, node);
  const auto* pool = std::get_if<Pool2dOp>(&node.op);
  if (pool != nullptr && pool->kind == PoolKind::max) return MaxPoolFunction{limits.min, limits.max};
  if (graph.semantics == Semantics::onnx) {
    return OnnxGlobalAveragePoolFunction{x.scale,      y.scale,    x.zero_point,
                                         y.zero_point, limits.min, limits.max};
  }
  if (pool != nullptr) return TfliteAveragePoolFunction{limits.min, limits.max};
  return make_tflite_mean(x, y, limits);
}

RowFunction row_function(const Graph& graph, const Node& node) {
  const auto& op = std::get<SoftmaxOp>(node.op);
  const QuantizedType x = type_of(graph.tensor(node.inputs[0]));
  const QuantizedType y = type_of(graph.tensor(node.outputs[0]));
  if (graph.semantics == Semantics::onnx) {
    return OnnxSoftmaxFunction{x.scale, y.scale, x.zero_point, y.zero_point, y.format};
  }
  return make_tflite_softmax(x, y.format, op.beta);
}

}  // namespace qsim
