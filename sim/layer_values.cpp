#include "sim/layer_values.h"

#include <algorithm>

#include "workloads/execute.h"

namespace qsim {

namespace {

/// Index of the last node that reads each tensor; graph outputs and dumped tensors are never released.
std::vector<std::size_t> last_uses(const Graph& graph, bool keep_all) {
  constexpr auto kForever = static_cast<std::size_t>(-1);
  std::vector<std::size_t> last(graph.tensors.size(), kForever);
  if (keep_all) return last;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    for (const TensorId id : graph.nodes[i].inputs) {
      if (id != kNoTensor && !graph.tensor(id).is_constant()) last[static_cast<std::size_t>(id)] = i;
    }
  }
  for (const TensorId id : graph.outputs) last[static_cast<std::size_t>(id)] = kForever;
  return last;
}

NamedTensor named(const Graph& graph, TensorId id, const TensorData& value) {
  return {graph.tensor(id).name, value, graph.tensor(id).quantization};
}

}  // namespace

LayerValues compute_layer_values(const Graph& graph, const CompiledProgram& compiled,
                                 const std::vector<TensorData>& inputs, int threads, bool dump_tensors) {
  LayerValues values;
  values.accumulators.resize(compiled.rows.size());
  std::vector<int> row_of(graph.nodes.size(), -1);
  for (std::size_t r = 0; r < compiled.rows.size(); ++r) row_of[compiled.rows[r].node] = static_cast<int>(r);

  Executor executor(graph, threads);
  for (std::size_t i = 0; i < inputs.size(); ++i) executor.set_input(graph.inputs[i], inputs[i]);
  const std::vector<std::size_t> last = last_uses(graph, dump_tensors);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const int row = row_of[i];
    const bool on_array = row >= 0 && compiled.rows[static_cast<std::size_t>(row)].mac.has_value();
    const MacContext context = on_array ? *compiled.rows[static_cast<std::size_t>(row)].mac : MacContext{};
    const auto stats = executor.run_node(graph.nodes[i], context);
    if (on_array) values.accumulators[static_cast<std::size_t>(row)] = stats;
    for (const TensorId id : graph.nodes[i].inputs) {
      if (id != kNoTensor && last[static_cast<std::size_t>(id)] == i) executor.release(id);
    }
  }
  for (const TensorId id : graph.outputs) values.outputs.push_back(named(graph, id, executor.value(id)));
  if (dump_tensors) {
    for (const TensorId id : graph.inputs) values.dump.push_back(named(graph, id, executor.value(id)));
    for (const Node& node : graph.nodes) {
      for (const TensorId id : node.outputs) values.dump.push_back(named(graph, id, executor.value(id)));
    }
  }
  return values;
}

}  // namespace qsim
