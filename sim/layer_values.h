// Values of a whole network, layer by layer, with each layer's accumulators as the chip's mapping has them.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "sim/compiler/compile.h"
#include "sim/result.h"
#include "workloads/execute/execute.h"
#include "workloads/graph/liveness.h"

namespace qsim {

struct LayerValues {
  /// By report row; absent for rows that do not use the accumulators.
  std::vector<std::optional<arithmetic::AccumulatorStats>> accumulators;
  std::vector<NamedTensor> outputs;
  std::vector<NamedTensor> dump;
};

/// Computes a compiled graph with the fast kernels, any number of times: what depends on the weights alone
/// (packed weights, folded biases) is prepared once.
class LayerRunner {
 public:
  /// Graph and program must outlive the runner.
  LayerRunner(const Graph& graph, const CompiledProgram& compiled, int threads, bool dump_tensors);

  /// `inputs` in the order of graph.inputs.
  [[nodiscard]] LayerValues run(const std::vector<TensorData>& inputs);
  /// The value of a tensor outlives the runs, for named().
  void keep(TensorId id) { last_reader_[static_cast<std::size_t>(id)] = kReadAfterTheRun; }
  /// Of the last run: a graph output, or a tensor that is kept.
  [[nodiscard]] NamedTensor named(TensorId id) const;
  /// By report row, where accumulators that trap overflowed first in the runs so far.
  [[nodiscard]] const std::vector<std::optional<arithmetic::OverflowPlace>>& traps() const { return traps_; }

 private:
  void note_trap(const Node& node, const MacContext& context, std::size_t row);
  void release_after(std::size_t node);

  const Graph& graph_;
  const CompiledProgram& compiled_;
  bool dump_tensors_;
  std::vector<int> row_of_node_;          ///< -1 where a node has no row of its own.
  std::vector<std::size_t> last_reader_;  ///< By tensor (liveness.h).
  std::vector<std::optional<arithmetic::OverflowPlace>> traps_;
  Executor executor_;
};

}  // namespace qsim
