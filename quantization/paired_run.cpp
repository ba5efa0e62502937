#include "quantization/paired_run.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "quantization/quantize_weights.h"
#include "workloads/execute/execute.h"
#include "workloads/graph/liveness.h"
#include "workloads/graph/quantize_value.h"
#include "workloads/ops/definition.h"
#include "workloads/ops/run.h"

namespace qsim {
namespace {

constexpr std::int64_t kValueBytes = std::int64_t{1} << 31;

bool is_value(const Graph& graph, TensorId id) {
  return id != kNoTensor && !graph.tensor(id).is_constant();
}

/// x^ = s (clamp(rne(x / s) + z) - z)
void quantize_and_dequantize(TensorData& values, const Quantization& grid) {
  for (float& x : values.as<float>()) {
    x = grid.scale() * static_cast<float>(quantize_value(x, grid) - grid.zero_point());
  }
}

void clamp_values(TensorData& values, Activation activation) {
  if (activation == Activation::none) return;
  const FloatClamp clamp(activation);
  for (float& x : values.as<float>()) x = clamp(x);
}

/// The graph with the activations of its layers taken off.
Graph without_activations(Graph graph) {
  for (Node& node : graph.nodes) {
    if (definition(node.op).has_weights) *fused_activation(node.op) = Activation::none;
  }
  return graph;
}

/// Weights of its own for every layer, to be set before it runs.
Graph with_own_weights(Graph graph) {
  for (Node& node : graph.nodes) {
    if (!definition(node.op).has_weights) continue;
    graph.tensors.push_back(graph.tensor(node.inputs[1]));
    node.inputs[1] = static_cast<TensorId>(graph.tensors.size() - 1);
  }
  return graph;
}

/// One of the two networks: values of live tensors, by tensor and input.
class Side {
 public:
  Side(Graph graph, int threads)
      : graph_(std::move(graph)), executor_(graph_, threads), values_(graph_.tensors.size()) {}

  void give(TensorId id, std::vector<TensorData> values) {
    values_[static_cast<std::size_t>(id)] = std::move(values);
  }
  void release(TensorId id) { give(id, {}); }
  [[nodiscard]] const std::vector<TensorData>& values(TensorId id) const {
    return values_[static_cast<std::size_t>(id)];
  }

  /// Before the node runs for the first time: the executor keeps them.
  void set_weights(std::size_t n, Tensor weights) {
    graph_.tensor(graph_.nodes[n].inputs[1]) = std::move(weights);
  }

  /// What a node makes of every input.
  std::vector<TensorData> run(std::size_t n, std::int64_t inputs) {
    const Node& node = graph_.nodes[n];
    std::vector<TensorData> made;
    for (std::size_t i = 0; i < static_cast<std::size_t>(inputs); ++i) {
      for (const TensorId id : node.inputs) {
        if (is_value(graph_, id)) executor_.set_input(id, values_[static_cast<std::size_t>(id)][i]);
      }
      executor_.run_node(node, {});
      made.push_back(executor_.value(node.outputs[0]));
    }
    for (const TensorId id : node.inputs) {
      if (is_value(graph_, id)) executor_.release(id);
    }
    executor_.release(node.outputs[0]);
    return made;
  }

 private:
  Graph graph_;
  Executor executor_;
  std::vector<std::vector<TensorData>> values_;
};

class PairedRun {
 public:
  PairedRun(const Graph& graph, const Graph& simulated, const Quantizers& quantizers, std::int64_t inputs,
            int threads)
      : graph_(graph),
        quantizers_(quantizers),
        inputs_(inputs),
        real_(without_activations(graph), threads),
        simulated_(with_own_weights(without_activations(simulated)), threads) {}

  std::vector<NodeError> run(const CalibrationData& data, const LayerSteps& steps) {
    read_inputs(data);
    const std::vector<std::size_t> last = last_readers(graph_);
    std::vector<NodeError> errors;
    for (std::size_t n = 0; n < graph_.nodes.size(); ++n) {
      errors.push_back(run_node(n, steps));
      for (const TensorId id : graph_.nodes[n].inputs) {
        if (!is_value(graph_, id) || last[static_cast<std::size_t>(id)] != n) continue;
        real_.release(id);
        simulated_.release(id);
      }
    }
    return errors;
  }

 private:
  void quantize(TensorId id, std::vector<TensorData>& values) const {
    const std::optional<Quantization>& grid = quantizers_.activations[static_cast<std::size_t>(id)];
    if (!grid) return;
    for (TensorData& value : values) quantize_and_dequantize(value, *grid);
  }

  void read_inputs(const CalibrationData& data) {
    std::vector<std::vector<TensorData>> inputs(graph_.inputs.size());
    for (std::int64_t item = 0; item < inputs_; ++item) {
      std::vector<TensorData> values = data.inputs(item);
      for (std::size_t i = 0; i < inputs.size(); ++i) inputs[i].push_back(std::move(values[i]));
    }
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const TensorId id = graph_.inputs[i];
      real_.give(id, inputs[i]);
      quantize(id, inputs[i]);
      simulated_.give(id, std::move(inputs[i]));
    }
  }

  NodeError run_node(std::size_t n, const LayerSteps& steps) {
    const Node& node = graph_.nodes[n];
    std::vector<TensorData> real = real_.run(n, inputs_);
    const bool is_layer = quantizers_.weights[n].has_value();
    const LayerValues values{simulated_.values(node.inputs[0]), real, real_.values(node.inputs[0])};
    if (is_layer) {
      if (steps.before) steps.before(n, values);
      simulated_.set_weights(n, dequantized_weights(*quantizers_.weights[n]));
    }
    std::vector<TensorData> simulated = simulated_.run(n, inputs_);
    if (is_layer) {
      if (steps.after) steps.after(n, values, simulated);
      for (TensorData& value : real) clamp_values(value, *fused_activation(node.op));
      for (TensorData& value : simulated) clamp_values(value, *fused_activation(node.op));
    }
    const TensorId id = node.outputs[0];
    if (graph_.tensor(id).is_float()) quantize(id, simulated);
    const NodeError error = graph_.tensor(id).is_float() ? error_of(real, simulated) : NodeError{};
    real_.give(id, std::move(real));
    simulated_.give(id, std::move(simulated));
    return error;
  }

  static NodeError error_of(const std::vector<TensorData>& real, const std::vector<TensorData>& simulated) {
    NodeError error;
    for (std::size_t i = 0; i < real.size(); ++i) {
      const auto y = real[i].as<float>();
      const auto simulated_y = simulated[i].as<float>();
      for (std::size_t e = 0; e < y.size(); ++e) {
        const auto value = static_cast<double>(y[e]);
        const double difference = static_cast<double>(simulated_y[e]) - value;
        error.signal += value * value;
        error.noise += difference * difference;
      }
    }
    return error;
  }

  const Graph& graph_;
  const Quantizers& quantizers_;
  std::int64_t inputs_;
  Side real_, simulated_;
};

}  // namespace

double NodeError::sqnr_db() const {
  return noise > 0.0 ? 10.0 * std::log10(signal / noise) : std::numeric_limits<double>::infinity();
}

std::int64_t inputs_that_fit(const Graph& graph, std::int64_t count) {
  const std::vector<std::size_t> last = last_readers(graph);
  const auto bytes_of = [&](TensorId id) {
    return element_count(graph.tensor(id).shape) *
           static_cast<std::int64_t>(element_size_bytes(graph.tensor(id).type));
  };
  std::int64_t live = 0;
  for (const TensorId id : graph.inputs) live += bytes_of(id);
  std::int64_t peak = live;
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    live += bytes_of(graph.nodes[n].outputs[0]);
    peak = std::max(peak, live);
    for (const TensorId id : graph.nodes[n].inputs) {
      if (is_value(graph, id) && last[static_cast<std::size_t>(id)] == n) live -= bytes_of(id);
    }
  }
  return std::clamp(kValueBytes / std::max<std::int64_t>(2 * peak, 1), std::int64_t{1}, count);
}

std::vector<NodeError> run_paired(const Graph& graph, const Graph& simulated, const Quantizers& quantizers,
                                  const CalibrationData& data, std::int64_t inputs, int threads,
                                  const LayerSteps& steps) {
  return PairedRun(graph, simulated, quantizers, inputs, threads).run(data, steps);
}

}  // namespace qsim
