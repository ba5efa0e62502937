#include "quantization/absorption.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>

#include "quantization/graph_edits.h"
#include "quantization/layer_pairs.h"
#include "workloads/graph/conv_geometry.h"
#include "workloads/ops/definition.h"

namespace qsim {
namespace {

constexpr double kDeviations = 3.0;

/// f(y - c) = f(y) - c for every constant c of a channel.
bool passes_shifts(const Node& node) {
  if (const auto* pool = std::get_if<Pool2dOp>(&node.op)) {
    const bool is_padded =
        pool->pad_top != 0 || pool->pad_bottom != 0 || pool->pad_left != 0 || pool->pad_right != 0;
    return !is_padded && pool->activation == Activation::none;
  }
  return std::holds_alternative<MeanOp>(node.op) || std::holds_alternative<ReshapeOp>(node.op);
}

bool is_padded(const Node& layer) {
  const auto* conv = std::get_if<Conv2dOp>(&layer.op);
  if (conv == nullptr) return !std::holds_alternative<FullyConnectedOp>(layer.op);
  return conv->pad_top != 0 || conv->pad_bottom != 0 || conv->pad_left != 0 || conv->pad_right != 0;
}

bool can_absorb(const Graph& graph, const LayerPair& pair) {
  return *fused_activation(graph.nodes[pair.first].op) == Activation::relu &&
         !is_padded(graph.nodes[pair.second]) &&
         std::ranges::all_of(pair.between, [&](std::size_t n) { return passes_shifts(graph.nodes[n]); });
}

/// b2' = b2 + W2 c
void add_shifted_inputs(Graph& graph, Node& second, const std::vector<double>& c) {
  const ConvGeometry g = conv_geometry(graph, second);
  const TensorData weights = *graph.tensor(second.inputs[1]).data;
  const std::span<const float> w = weights.as<float>();
  const std::span<float> b = own_bias(graph, second, g.out_channels).data->as<float>();
  for (std::int64_t n = 0; n < g.out_channels; ++n) {
    double sum = 0.0;
    const std::int64_t first = n / g.group_outputs() * g.group_channels();
    for (std::int64_t k = 0; k < g.depth(); ++k) {
      const std::int64_t channel = (first + k % g.group_channels()) % std::ssize(c);
      sum += static_cast<double>(w[static_cast<std::size_t>(n * g.depth() + k)]) *
             c[static_cast<std::size_t>(channel)];
    }
    float& bias = b[static_cast<std::size_t>(n)];
    bias = static_cast<float>(static_cast<double>(bias) + sum);
  }
}

void shift_outputs(Graph& graph, Node& first, const std::vector<double>& c) {
  const std::span<float> b = own_bias(graph, first, std::ssize(c)).data->as<float>();
  for (std::size_t n = 0; n < c.size(); ++n) b[n] = static_cast<float>(static_cast<double>(b[n]) - c[n]);
  if (!first.distribution) return;
  for (std::size_t n = 0; n < c.size(); ++n) first.distribution->mean[n] -= c[n];
}

/// `shifts`: c of the channels of a pair's first layer; empty: none.
Absorption absorb(Graph& graph, const std::function<std::vector<double>(const Node& first)>& shifts) {
  Absorption done;
  for (const LayerPair& pair : layer_pairs(graph)) {
    if (!can_absorb(graph, pair)) continue;
    std::vector<double> c = shifts(graph.nodes[pair.first]);
    for (double& shift : c) shift = std::isfinite(shift) ? std::max(shift, 0.0) : 0.0;
    const auto count = std::ranges::count_if(c, [](double shift) { return shift > 0.0; });
    if (count == 0) continue;
    shift_outputs(graph, graph.nodes[pair.first], c);
    add_shifted_inputs(graph, graph.nodes[pair.second], c);
    ++done.pairs;
    done.channels += static_cast<int>(count);
  }
  return done;
}

}  // namespace

Absorption absorb_biases(Graph& graph) {
  return absorb(graph, [](const Node& first) {
    std::vector<double> c;
    if (!first.distribution) return c;
    for (std::size_t n = 0; n < first.distribution->mean.size(); ++n) {
      c.push_back(first.distribution->mean[n] - kDeviations * first.distribution->deviation[n]);
    }
    return c;
  });
}

Absorption absorb_biases(Graph& graph, const CalibrationData& data, int threads) {
  std::vector<TensorId> made;
  for (const LayerPair& pair : layer_pairs(graph)) {
    if (can_absorb(graph, pair)) made.push_back(graph.nodes[pair.first].outputs[0]);
  }
  const std::vector<std::vector<float>> minima = channel_minima(graph, made, data, threads);
  return absorb(graph, [&](const Node& first) {
    const auto at = std::ranges::find(made, first.outputs[0]) - made.begin();
    const std::vector<float>& least = minima[static_cast<std::size_t>(at)];
    return std::vector<double>(least.begin(), least.end());
  });
}

}  // namespace qsim
