#include "quantization/calibrate.h"

#include <algorithm>
#include <cstddef>
#include <limits>

#include "workloads/execute/execute.h"
#include "workloads/graph/liveness.h"

namespace qsim {
namespace {

/// Runs the graph once per item and shows every float tensor to `visit`.
template <typename Visit>
void run_all(const Graph& graph, const CalibrationData& data, int threads, const Visit& visit) {
  Executor executor(graph, threads);
  const std::vector<std::size_t> last = last_readers(graph);
  for (std::int64_t item = 0; item < data.count; ++item) {
    std::vector<TensorData> inputs = data.inputs(item);
    for (std::size_t i = 0; i < graph.inputs.size(); ++i) {
      const TensorId id = graph.inputs[i];
      if (graph.tensor(id).is_float()) visit(id, inputs[i].as<float>());
      executor.set_input(id, std::move(inputs[i]));
    }
    for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
      const Node& node = graph.nodes[n];
      executor.run_node(node, {});
      const TensorId made = node.outputs[0];
      if (graph.tensor(made).is_float()) visit(made, executor.value(made).as<float>());
      for (const TensorId id : node.inputs) {
        const bool is_done = id != kNoTensor && last[static_cast<std::size_t>(id)] == n;
        if (is_done && !graph.tensor(id).is_constant()) executor.release(id);
      }
    }
  }
}

}  // namespace

std::vector<std::vector<float>> channel_minima(const Graph& graph, const std::vector<TensorId>& tensors,
                                               const CalibrationData& data, int threads) {
  std::vector<std::vector<float>> minima;
  for (const TensorId id : tensors) {
    minima.emplace_back(static_cast<std::size_t>(graph.tensor(id).shape.back()),
                        std::numeric_limits<float>::infinity());
  }
  run_all(graph, data, threads, [&](TensorId id, std::span<const float> values) {
    const auto at = static_cast<std::size_t>(std::ranges::find(tensors, id) - tensors.begin());
    if (at == tensors.size()) return;
    std::vector<float>& least = minima[at];
    for (std::size_t e = 0; e < values.size(); ++e) {
      least[e % least.size()] = std::min(least[e % least.size()], values[e]);
    }
  });
  return minima;
}

std::vector<ObservedValues> observe(const Graph& graph, const CalibrationData& data, bool with_spread,
                                    int threads, TensorId logits) {
  std::vector<ObservedValues> observed(graph.tensors.size());
  run_all(graph, data, threads, [&](TensorId id, std::span<const float> values) {
    observed[static_cast<std::size_t>(id)].observe_limits(values);
  });
  if (!with_spread) return observed;
  run_all(graph, data, threads, [&](TensorId id, std::span<const float> values) {
    observed[static_cast<std::size_t>(id)].observe_spread(values);
    if (id == logits) observed[static_cast<std::size_t>(id)].keep_rows(values, graph.tensor(id).shape.back());
  });
  return observed;
}

}  // namespace qsim
