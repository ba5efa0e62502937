// Values of a whole network, layer by layer, with each layer's accumulators as the chip's mapping has them.
#pragma once

#include <vector>

#include "sim/compiler/compile.h"
#include "sim/result.h"

namespace qsim {

struct LayerValues {
  /// By report row; absent for rows that do not use the accumulators.
  std::vector<std::optional<arithmetic::AccumulatorStats>> accumulators;
  std::vector<NamedTensor> outputs;
  std::vector<NamedTensor> dump;
};

/// Computes `graph` with the fast kernels. `inputs` in the order of graph.inputs.
[[nodiscard]] LayerValues compute_layer_values(const Graph& graph, const CompiledProgram& compiled,
                                               const std::vector<TensorData>& inputs, int threads,
                                               bool dump_tensors);

}  // namespace qsim
