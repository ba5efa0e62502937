// What programs take, and networks as they are planned, by running them without values.
#pragma once

#include <vector>

#include "hw_models/hardware_config.h"
#include "hw_models/program.h"
#include "sim/compiler/energy_rates.h"
#include "sim/compiler/lower.h"
#include "sim/compiler/mapping_memo.h"
#include "sim/compiler/plan.h"
#include "sim/compiler/schedule.h"
#include "workloads/graph/graph.h"

namespace qsim {

/// Of one inference from the beginning, cold.
[[nodiscard]] SimulatedCost simulated_cost(const HardwareConfig& hardware, const Program& program,
                                           const EnergyRates& energies);

/// What plans are of; kept by reference.
struct PlannedRows {
  const Graph& graph;
  const Schedule& schedule;
  const std::vector<LoweredRow>& lowered;
  const HardwareConfig& hardware;
};

/// The program of a plan, without images of tensors.
[[nodiscard]] Program trial_program(const PlannedRows& rows, MemoryPlan plan);
/// Of a plan, with energy where that is minimized. The plan remembers it.
const SimulatedCost& simulated_cost(const PlannedRows& rows, const MappingMemo& mapper, MemoryPlan& plan);

}  // namespace qsim
