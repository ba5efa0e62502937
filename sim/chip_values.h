// Values as the modelled chip computed them, read from its memories.
#pragma once

#include <map>
#include <vector>

#include "hw_models/run_chip.h"
#include "sim/compiler/compile.h"
#include "sim/result.h"

namespace qsim {

/// Collects the tensors of a run in which values move, row by row as they become complete (a resident
/// tensor's space is used again later).
class ChipValues {
 public:
  ChipValues(const Graph& graph, const CompiledProgram& compiled) : graph_(graph), compiled_(compiled) {}

  /// To be called when a row of the program, or a stripe of it, is complete.
  void collect(std::int32_t row, RowWindow window, const ChipMemory& memory);
  /// Outputs of the graph; after the run. `inputs` are the run's, in the order of graph.inputs.
  [[nodiscard]] std::vector<NamedTensor> outputs(const std::vector<TensorData>& inputs) const;
  /// Inputs and every tensor that a node makes, as LayerRunner lists them.
  [[nodiscard]] std::vector<NamedTensor> dump(const std::vector<TensorData>& inputs) const;

 private:
  /// As a row left it in memory.
  [[nodiscard]] NamedTensor computed(TensorId id) const;
  /// Whatever it is: computed, an input or a view of one, a constant.
  [[nodiscard]] NamedTensor tensor(TensorId id, const std::vector<TensorData>& inputs) const;

  const Graph& graph_;
  const CompiledProgram& compiled_;
  std::map<int, std::vector<std::int64_t>> values_;  ///< By storage, in C order.
};

}  // namespace qsim
