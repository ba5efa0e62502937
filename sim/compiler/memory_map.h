// Makes the map of a program's buffers.
#pragma once

#include <cstddef>
#include <vector>

#include "hw_models/hardware_config.h"
#include "hw_models/program.h"
#include "sim/compiler/lower.h"
#include "sim/compiler/memory_ranges.h"
#include "sim/compiler/plan.h"
#include "sim/compiler/schedule.h"
#include "workloads/graph/graph.h"

namespace qsim {

/// `nests` are those of the plan, with placements. Ranges that are in use at the same time do not overlap.
[[nodiscard]] MemoryMap make_memory_map(const Graph& graph, const Schedule& schedule,
                                        const std::vector<LoweredRow>& lowered, const MemoryPlan& plan,
                                        const HardwareConfig& hardware, const std::vector<Nest>& nests);

/// Sorts the ranges and finds the peak.
void finish_map(BufferMap& map, std::size_t rows);

}  // namespace qsim
