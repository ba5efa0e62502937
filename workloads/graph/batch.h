// Running several inputs at once.
#pragma once

#include <cstdint>

#include "workloads/graph/graph.h"

namespace qsim {

/// Makes dimension 0 of every activation tensor `batch` instead of 1, targets of reshapes and counts of
/// slices included. Throws InputError where dimension 0 of a tensor is not the batch: it is not 1, or an
/// operation moves, merges or reduces it. 1 changes nothing.
void set_batch(Graph& graph, std::int64_t batch);

}  // namespace qsim
