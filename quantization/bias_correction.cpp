#include "quantization/bias_correction.h"

#include <cstddef>

#include "quantization/graph_edits.h"
#include "quantization/quantize_weights.h"

namespace qsim {
namespace {

/// E[y^[n]] - E[y[n]] by channel, the last dimension.
std::vector<double> mean_shifts(std::span<const TensorData> real, std::span<const TensorData> simulated) {
  const auto channels = static_cast<std::size_t>(real.front().shape.back());
  std::vector<double> shifts(channels, 0.0);
  std::size_t elements = 0;
  for (std::size_t i = 0; i < real.size(); ++i) {
    const auto y = real[i].as<float>();
    const auto simulated_y = simulated[i].as<float>();
    for (std::size_t e = 0; e < y.size(); ++e) {
      shifts[e % channels] += static_cast<double>(simulated_y[e]) - static_cast<double>(y[e]);
    }
    elements += y.size();
  }
  for (double& shift : shifts) shift *= static_cast<double>(channels) / static_cast<double>(elements);
  return shifts;
}

/// Values minus what their channel is shifted by.
void take_off(std::span<float> values, const std::vector<double>& shifts) {
  for (std::size_t e = 0; e < values.size(); ++e) {
    values[e] = static_cast<float>(static_cast<double>(values[e]) - shifts[e % shifts.size()]);
  }
}

}  // namespace

std::vector<NodeError> correct_biases(Graph& graph, const Quantizers& quantizers, const CalibrationData& data,
                                      std::int64_t inputs, int threads) {
  const Graph before = graph;
  LayerSteps steps;
  steps.after = [&](std::size_t n, const LayerValues& values, std::span<TensorData> simulated) {
    const std::vector<double> shifts = mean_shifts(values.real, simulated);
    Tensor& bias = own_bias(graph, graph.nodes[n], std::ssize(shifts));
    take_off(bias.data->as<float>(), shifts);
    for (TensorData& output : simulated) take_off(output.as<float>(), shifts);
  };
  return run_paired(before, before, quantizers, data, inputs, threads, steps);
}

int correct_biases(Graph& graph, const Quantizers& quantizers,
                   const std::vector<std::optional<ChannelModel>>& models) {
  int corrected = 0;
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    Node& node = graph.nodes[n];
    if (!quantizers.weights[n]) continue;
    const std::optional<ChannelModel>& input = models[static_cast<std::size_t>(node.inputs[0])];
    if (!input) continue;
    const std::vector<double> means = tap_means(graph, node, *input);
    if (means.empty()) continue;
    const Tensor rounded = dequantized_weights(*quantizers.weights[n]);
    const TensorData weights = *graph.tensor(node.inputs[1]).data;
    std::vector<double> shifts(static_cast<std::size_t>(weights.shape[0]), 0.0);
    for (std::size_t i = 0; i < means.size(); ++i) {
      shifts[i * shifts.size() / means.size()] +=
          (static_cast<double>(rounded.data->as<float>()[i]) - static_cast<double>(weights.as<float>()[i])) *
          means[i];
    }
    take_off(own_bias(graph, node, std::ssize(shifts)).data->as<float>(), shifts);
    ++corrected;
  }
  return corrected;
}

}  // namespace qsim
