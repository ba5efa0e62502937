// Values of the network's inputs: from .npy files, or seeded.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/cli/commands/run_options.h"
#include "sim/report/report_options.h"
#include "workloads/graph/graph.h"
#include "workloads/readers/load.h"

namespace qsim::cli {

/// "NAME=FILE" or "FILE".
[[nodiscard]] InputArgument input_argument(const std::string& text);

/// The arguments that have a name, for prepare_graph().
[[nodiscard]] InputArrays named_arrays(const std::vector<InputArgument>& arguments);

struct PreparedInputs {
  std::vector<TensorData> values;    ///< In the order of graph.inputs; empty with Values::none.
  std::vector<InputOrigin> origins;  ///< The same order.
};

/// An integer array must have its input's type and shape and fit its bit width; a float array for a quantized
/// input becomes clamp(rne(x / scale) + zero_point). Inputs that no argument names are generated from `seed`.
/// Throws InputError with every problem of the arguments, or of one file.
[[nodiscard]] PreparedInputs prepare_inputs(const Graph& graph, const std::vector<InputArgument>& arguments,
                                            std::uint64_t seed, Values values);

}  // namespace qsim::cli
