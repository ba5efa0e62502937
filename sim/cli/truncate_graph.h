// --until: the part of a network that one node needs.
#pragma once

#include <string>

#include "workloads/graph/graph.h"

namespace qsim::cli {

/// Keeps `node` and everything that it depends on; the node's outputs become the graph's. Inputs that nothing
/// uses any more are dropped. Throws InputError, with the nearest name, when there is no such node.
void truncate_graph(Graph& graph, const std::string& node);

}  // namespace qsim::cli
