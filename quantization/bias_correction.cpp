#include "quantization/bias_correction.h"

#include <cstddef>

#include "quantization/graph_edits.h"

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

}  // namespace qsim
