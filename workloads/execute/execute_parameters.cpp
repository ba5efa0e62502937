// What the arithmetic of a node on the MAC array is: parameters from shapes, scales and zero points, for both
// levels of values; the operations' rows have the vector unit's.
#include <numeric>

#include "workloads/execute/execute.h"
#include "workloads/execute/execute_nodes.h"
#include "workloads/graph/blocks.h"
#include "workloads/ops/definition.h"

namespace qsim {
namespace {

using namespace arithmetic;

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

// b'[n] = b[n] - z_x * sum_k m w[n][k] + z_x * sum_k m z[n][k], m and z those of the element's group
void fold_groups(const Tensor& weights, std::int64_t input_zero_point, std::vector<std::int64_t>& bias) {
  const Quantization& q = *weights.quantization;
  const std::int64_t depth = element_count(weights.shape) / weights.shape[0];
  for (std::int64_t i = 0; i < weights.data->size(); ++i) {
    const std::int64_t group = i / q.group_size;
    bias[static_cast<std::size_t>(i / depth)] -=
        input_zero_point * q.group_multiplier(group) * (weights.data->at(i) - q.group_zero_point(group));
  }
}

}  // namespace

RoundingProfile automatic_rounding_profile(const Graph& graph, const Node& node) {
  if (node.has_affine_stage()) return RoundingProfile::affine;
  // Accumulators leave as they are: M = 1 = 2^0. Blocks have powers of two alone.
  if (multiplies_blocks(graph, node)) return RoundingProfile::power_of_two;
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
  if (!definition(node.op).has_weights) {
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
  if (weights.quantization->has_groups()) {
    std::vector<std::int64_t> bias(static_cast<std::size_t>(out_channels));
    for (std::int64_t n = 0; has_bias && n < out_channels; ++n)
      bias[static_cast<std::size_t>(n)] = graph.tensor(node.inputs[2]).data->at(n);
    if (input_zero_point != 0) fold_groups(weights, input_zero_point, bias);
    return bias;
  }
  // Weights may be generated as they are read: of zero no sums are wanted.
  std::vector<std::int64_t> bias = input_zero_point == 0
                                       ? std::vector<std::int64_t>(static_cast<std::size_t>(out_channels))
                                       : weight_sums(*weights.data, out_channels);
  for (std::int64_t n = 0; n < out_channels; ++n) {
    std::int64_t& value = bias[static_cast<std::size_t>(n)];
    const std::int64_t weight_zero_point = weights.quantization->zero_point(n);
    value = depth * input_zero_point * weight_zero_point - input_zero_point * value;
    if (has_bias) value += graph.tensor(node.inputs[2]).data->at(n);
  }
  return bias;
}

// M[n] = s_x * s_w[n] / s_y, or the node's own.
std::vector<ChannelScale> channel_scales(const Graph& graph, const Node& node, const Rounding& rounding) {
  const float input_scale = graph.tensor(node.inputs[0]).quantization->scale();
  const float output_scale = graph.tensor(node.outputs[0]).quantization->scale();
  const Tensor& weights = graph.tensor(node.inputs[1]);
  std::vector<ChannelScale> scales;
  const std::int64_t channels = graph.tensor(node.outputs[0]).shape.back();
  scales.reserve(static_cast<std::size_t>(channels));
  if (node.has_affine_stage()) {
    for (std::int64_t n = 0; n < channels; ++n) {
      ChannelScale& scale = scales.emplace_back();
      scale.scale64 = node.requantization->multiplier(n);
      scale.offset64 = node.requantization->offset(n);
    }
    return scales;
  }
  for (std::int64_t n = 0; n < channels; ++n) {
    scales.push_back(make_channel_scale(rounding, input_scale, weights.quantization->scale(n), output_scale));
  }
  return scales;
}

OutputRange output_range(const Graph& graph, const Node& node) {
  const ClampRange clamp = output_clamp(graph, node);
  const RoundingMode rounding = node.requantization ? node.requantization->rounding : RoundingMode::half_even;
  return {graph.tensor(node.outputs[0]).quantization->zero_point(), clamp.min, clamp.max, rounding};
}

}  // namespace qsim
