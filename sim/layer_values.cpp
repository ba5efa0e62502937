#include "sim/layer_values.h"

#include <algorithm>

#include "workloads/execute/overflow_place.h"
#include "workloads/graph/layout.h"

namespace qsim {

namespace {

std::vector<int> rows_of_nodes(const Graph& graph, const CompiledProgram& compiled) {
  std::vector<int> rows(graph.nodes.size(), -1);
  for (std::size_t r = 0; r < compiled.rows.size(); ++r) rows[compiled.rows[r].node] = static_cast<int>(r);
  return rows;
}

}  // namespace

LayerRunner::LayerRunner(const Graph& graph, const CompiledProgram& compiled, int threads, bool dump_tensors)
    : graph_(graph),
      compiled_(compiled),
      dump_tensors_(dump_tensors),
      row_of_node_(rows_of_nodes(graph, compiled)),
      last_reader_(last_readers(graph)),
      traps_(compiled.rows.size()),
      executor_(graph, threads) {}

NamedTensor LayerRunner::named(TensorId id) const {
  const Tensor& tensor = graph_.tensor(id);
  return {tensor.name, to_model_layout(executor_.value(id), tensor), tensor.quantization};
}

void LayerRunner::note_trap(const Node& node, const MacContext& context, std::size_t row) {
  if (traps_[row]) return;
  Operands operands;
  for (const TensorId id : node.inputs) operands.push_back(id == kNoTensor ? nullptr : &executor_.value(id));
  traps_[row] = first_overflow(graph_, node, context, operands);
}

void LayerRunner::release_after(std::size_t node) {
  if (dump_tensors_) return;
  for (const TensorId id : graph_.nodes[node].inputs) {
    if (id != kNoTensor && last_reader_[static_cast<std::size_t>(id)] == node) executor_.release(id);
  }
}

LayerValues LayerRunner::run(const std::vector<TensorData>& inputs) {
  LayerValues values;
  values.accumulators.resize(compiled_.rows.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) executor_.set_input(graph_.inputs[i], inputs[i]);
  for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
    const int row = row_of_node_[i];
    const bool on_array = row >= 0 && compiled_.rows[static_cast<std::size_t>(row)].mac.has_value();
    const MacContext context = on_array ? *compiled_.rows[static_cast<std::size_t>(row)].mac : MacContext{};
    const auto stats = executor_.run_node(graph_.nodes[i], context);
    if (on_array) {
      values.accumulators[static_cast<std::size_t>(row)] = stats;
      const bool traps = context.accumulator.overflow == arithmetic::Overflow::trap && stats->overflows > 0;
      if (traps) note_trap(graph_.nodes[i], context, static_cast<std::size_t>(row));
    }
    release_after(i);
  }
  for (const TensorId id : graph_.outputs) values.outputs.push_back(named(id));
  if (dump_tensors_) {
    for (const TensorId id : graph_.inputs) values.dump.push_back(named(id));
    for (const Node& node : graph_.nodes) {
      for (const TensorId id : node.outputs) values.dump.push_back(named(id));
    }
  }
  return values;
}

}  // namespace qsim
