// Operations of the vector unit on blocks (hw_models/arithmetic/block_functions.h).
#pragma once

#include <optional>

#include "hw_models/arithmetic/block_functions.h"
#include "workloads/graph/graph.h"
#include "workloads/ops/node_check.h"
#include "workloads/ops/run.h"

namespace qsim {

/// What it evaluates where the node's activations are blocks: sums of two tensors of one shape, maxima and
/// means over windows of rows and columns (of means up to 2^14 elements, padding not counted). Nothing for
/// all other nodes. Activations may still be floats.
[[nodiscard]] std::optional<arithmetic::BlockFunction> block_function(const Graph& graph, const Node& node);

/// Where one activation is in blocks all are, and the operation has a form of them.
void expect_block_form(NodeCheck& check);

/// A node's values by a function of rows that reads two operands or a window.
void run_rows_together(const NodeRun& run, const arithmetic::RowFunction& function);

}  // namespace qsim
