// What of a network the modelled chip and its host compute.
#pragma once

#include <string>

#include "workloads/graph/graph.h"

namespace qsim {

/// Why the chip cannot compute a node of a valid graph, with what is missing; "" where it can, or where the
/// node has float activations and is the host's.
[[nodiscard]] std::string chip_obstacle(const Graph& graph, const Node& node);

/// InputError naming the node's place where there is an obstacle.
void require_chip_support(const Graph& graph, const Node& node);

}  // namespace qsim
