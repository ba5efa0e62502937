// Values of the network's inputs: from .npy files, or seeded.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/cli/cost_options.h"
#include "sim/report/report_options.h"
#include "sim/simulate.h"
#include "workloads/graph/graph.h"
#include "workloads/readers/load.h"

namespace qsim::cli {

/// The arguments that have a name, for prepare_graph().
[[nodiscard]] InputArrays named_arrays(const std::vector<InputArgument>& arguments);

struct PreparedInputs {
  std::vector<TensorData> values;    ///< In the order of graph.inputs; empty with Values::none.
  std::vector<InputOrigin> origins;  ///< The same order.
};

/// Each names an input of its own, or a constant that was read with the model. Throws InputError.
void check_input_names(const Graph& graph, const std::vector<InputArgument>& arguments);

/// An integer array must have its input's type and shape and fit its bit width; a float array for a quantized
/// input becomes clamp(rne(x / scale) + zero_point). Inputs that no argument names are generated from `seed`.
/// Throws InputError with every problem of the arguments, or of one file.
[[nodiscard]] PreparedInputs prepare_inputs(const Graph& graph, const std::vector<InputArgument>& arguments,
                                            std::uint64_t seed, Values values);

}  // namespace qsim::cli
