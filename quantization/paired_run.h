// A float network and its simulated quantization side by side, a node at a time over all inputs: white paper,
// section 2.3 (figure 4).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "quantization/calibrate.h"
#include "workloads/graph/graph.h"

namespace qsim {

/// What the quantizers of a float graph do.
struct Quantizers {
  std::vector<std::optional<Quantization>> activations;  ///< By tensor.
  std::vector<std::optional<Tensor>> weights;            ///< By node: the integers of its weights.
};

/// One entry an input of the network.
struct LayerValues {
  std::span<const TensorData> inputs;  ///< Of the layer, in the simulation.
  std::span<const TensorData> real;    ///< Outputs of float weights on float inputs, before the activation.
  std::span<const TensorData> real_inputs;  ///< Of the layer, in the float network.
};

/// What may be done to a layer on the way, in the order of the nodes.
struct LayerSteps {
  /// Before the simulation runs it: the quantizers' weights of this node may be changed.
  std::function<void(std::size_t node, const LayerValues& values)> before = {};
  /// Before its simulated outputs meet the activation: they may be changed.
  std::function<void(std::size_t node, const LayerValues& values, std::span<TensorData> simulated)> after =
      {};
};

/// Signal and noise of what a node makes.
struct NodeError {
  double signal = 0.0;  ///< sum y^2
  double noise = 0.0;   ///< sum (y^ - y)^2

  /// 10 log10(signal / noise); infinite without noise.
  [[nodiscard]] double sqnr_db() const;
};

/// Inputs, at most `count`, whose live values of both networks take no more than 2 GiB; at least one.
[[nodiscard]] std::int64_t inputs_that_fit(const Graph& graph, std::int64_t count);

/// Runs `graph` (float; batch norms folded, activations fused) and the simulation of `simulated`, which has
/// the same nodes and may have other biases, on inputs 0 to `inputs` - 1. In the simulation weights are s (q
/// - z) of their integers, and what has a grid is quantized and dequantized behind the node and its fused
/// activation. Sums are float32, biases as they are. Returns the errors by node. Memory: the live values of
/// all inputs at a time, twice.
std::vector<NodeError> run_paired(const Graph& graph, const Graph& simulated, const Quantizers& quantizers,
                                  const CalibrationData& data, std::int64_t inputs, int threads,
                                  const LayerSteps& steps = {});

}  // namespace qsim
