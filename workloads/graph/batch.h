// Running several inputs at once.
#pragma once

#include <cstdint>

#include "workloads/graph/graph.h"

namespace qsim {

/// Makes dimension 0 of every activation tensor `batch` instead of Graph::batch (1 as read), targets of
/// reshapes and counts of slices included. Throws InputError where dimension 0 of a tensor is not the batch:
/// it has another size, or an operation moves, merges or reduces it.
///
/// So in a graph with a batch every operation keeps the images apart, and any part of them may go through the
/// network without the others.
void set_batch(Graph& graph, std::int64_t batch);

}  // namespace qsim
