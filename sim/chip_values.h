// Values as the modelled chip computed them, read from its memories.
#pragma once

#include <map>
#include <vector>

#include "hw_models/npu.h"
#include "sim/compiler/compile.h"
#include "sim/result.h"

namespace qsim {

/// Collects the tensors of a run in which values move, row by row as they become complete (a resident
/// tensor's space is used again later).
class ChipValues {
 public:
  ChipValues(const Graph& graph, const CompiledProgram& compiled) : graph_(graph), compiled_(compiled) {}

  /// To be called when a report row is complete.
  void collect(std::int32_t row, const ChipMemory& memory);
  /// Outputs of the graph; after the run.
  [[nodiscard]] std::vector<NamedTensor> outputs() const;
  /// Inputs and every tensor that a node makes, as compute_layer_values lists them.
  [[nodiscard]] std::vector<NamedTensor> dump(const std::vector<TensorData>& inputs) const;

 private:
  [[nodiscard]] NamedTensor tensor(TensorId id) const;

  const Graph& graph_;
  const CompiledProgram& compiled_;
  std::map<int, std::vector<std::int64_t>> values_;  ///< By storage, in C order.
};

}  // namespace qsim
