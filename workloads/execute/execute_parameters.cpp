// What the arithmetic of a node on the MAC array is: parameters from shapes, scales and zero points, for both
// levels of values; execute_functions.cpp has the vector unit's.
#include <numeric>
#include <stdexcept>

#include "hw_models/arithmetic/tflite_functions.h"
#include "workloads/execute/execute.h"
#include "workloads/execute/execute_nodes.h"
#include "workloads/execute/execute_types.h"

namespace qsim {
namespace {

using namespace arithmetic;

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

RealBounds bounds_of(Activation activation) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
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

QuantizedType quantized_type(const Tensor& tensor) {
  const Quantization& q = *tensor.quantization;
  return {q.format(), q.scale(), q.zero_point()};
}

ClampLimits clamp_limits(const Graph& graph, const Node& node) {
  const ClampRange range = output_clamp(graph, node);
  return {range.min, range.max};
}

RoundingProfile automatic_rounding_profile(const Graph& graph, const Node& node) {
  // Accumulators leave as they are: M = 1 = 2^0.
  if (graph.tensor(node.outputs[0]).quantization->bits > 16) return RoundingProfile::power_of_two;
  if (graph.rounding_profile) return *graph.rounding_profile;
  if (graph.semantics == Semantics::onnx) return RoundingProfile::float32;
  if (std::holds_alternative<FullyConnectedOp>(node.op)) return RoundingProfile::float64;
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
  if (std::holds_alternative<MatMulOp>(node.op)) {
    const Tensor& a = graph.tensor(node.inputs[0]);
    const std::int64_t product =
        std::int64_t{a.quantization->zero_point()} * weights.quantization->zero_point() * a.shape.back();
    return std::vector<std::int64_t>(static_cast<std::size_t>(graph.tensor(node.outputs[0]).shape.back()),
                                     product);
  }
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
  const std::int64_t channels = graph.tensor(node.outputs[0]).shape.back();
  scales.reserve(static_cast<std::size_t>(channels));
  for (std::int64_t n = 0; n < channels; ++n) {
    scales.push_back(make_channel_scale(profile, input_scale, weights.quantization->scale(n), output_scale));
  }
  return scales;
}

ClampRange output_clamp(const Graph& graph, const Node& node) {
  const arithmetic::IntegerFormat format = graph.tensor(node.outputs[0]).quantization->format();
  // Limits that float32 has no numbers for; nothing is fused.
  if (format.bits == 32)
    return {static_cast<std::int32_t>(format.min()), static_cast<std::int32_t>(format.max())};
  const RealBounds bounds = bounds_of(fused_activation(node));
  const ClampLimits limits =
      activation_limits(quantized_type(graph.tensor(node.outputs[0])), bounds.low, bounds.high);
  return {limits.min, limits.max};
}

}  // namespace qsim
