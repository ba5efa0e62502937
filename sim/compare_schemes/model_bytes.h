// How large a network is as a chip keeps it.
#pragma once

#include <cstdint>

#include "workloads/graph/graph.h"

namespace qsim {

/// Bytes of what the nodes read and no node makes, each tensor once:
///
///   weights and other quantized constants   ceil(elements * bits / 8), packed at their width
///   constants without a grid                their element type's bytes
///
/// and, a layer with quantized weights, its parameters: 4 bytes an output channel for what its accumulators
/// start from (bias and folded zero points), 5 bytes a scale (multiplier and shift), 4 bytes an output
/// channel where weights have zero points (a group, where they have groups), 1 byte a multiplier of a group
/// (2 above 255).
[[nodiscard]] std::int64_t model_bytes(const Graph& graph);

}  // namespace qsim
