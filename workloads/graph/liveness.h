// How long the values of a network are needed while its nodes run in their order.
#pragma once

#include <cstddef>
#include <vector>

#include "workloads/graph/graph.h"

namespace qsim {

/// In place of a node: the tensor is a graph output, and its value stays.
inline constexpr auto kReadAfterTheRun = static_cast<std::size_t>(-1);
/// In place of a node: nobody reads the tensor.
inline constexpr std::size_t kNeverRead = kReadAfterTheRun - 1;

/// Index of the last node that reads each tensor.
[[nodiscard]] std::vector<std::size_t> last_readers(const Graph& graph);

}  // namespace qsim
