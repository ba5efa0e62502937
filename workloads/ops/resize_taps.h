// A resize as the vector unit evaluates it.
#pragma once

#include "hw_models/arithmetic/vector_functions.h"
#include "workloads/graph/graph.h"

namespace qsim {

/// Of a node whose operation is a ResizeOp; of a float one the positions alone count.
[[nodiscard]] arithmetic::ResizeFunction resize_function(const Graph& graph, const Node& node);

}  // namespace qsim
