// Chooses between mappings that estimates cannot tell apart: by simulation, without values.
#pragma once

#include <vector>

#include "hw_models/hardware_config.h"
#include "sim/compiler/lower.h"
#include "sim/compiler/objective.h"
#include "sim/compiler/plan.h"
#include "sim/compiler/schedule.h"
#include "workloads/graph/graph.h"

namespace qsim {

/// Simulates the network as it is planned, and with rivals of its rows; each row then takes what was the
/// fastest in its place, and the network as a whole what takes the fewest cycles. Row costs become the cycles
/// of the simulation. A plan of more tiles than are simulated in a moment is returned as it is: a budget of
/// tiles, so that the mapping is the same on every machine.
/// `others` take part like the plan.
[[nodiscard]] MemoryPlan settle_by_simulation(const Graph& graph, const Schedule& schedule,
                                              const std::vector<LoweredRow>& lowered,
                                              const HardwareConfig& hardware, const CostMeasure& measure,
                                              MemoryPlan plan, std::vector<MemoryPlan> others);

}  // namespace qsim
