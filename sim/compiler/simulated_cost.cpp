#include "sim/compiler/simulated_cost.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "hw_models/run_chip.h"
#include "sim/compiler/batch_parts.h"
#include "sim/compiler/compile.h"
#include "sim/compiler/mapping.h"
#include "sim/compiler/program_builder.h"

namespace qsim {

SimulatedCost simulated_cost(const HardwareConfig& hardware, const Program& program,
                             const EnergyRates& energies) {
  const ChipRun run = run_chip(hardware, without_values(program, program.parts), {});
  std::vector<RowPrecision> precisions(static_cast<std::size_t>(program.rows));
  for (const Nest& nest : program.nests) {
    const auto* gemm = std::get_if<GemmNest>(&nest);
    if (gemm == nullptr) continue;
    precisions[static_cast<std::size_t>(gemm->row)] = precision_of(gemm->problem(), gemm->mapping().dataflow);
  }
  SimulatedCost cost;
  for (const auto& row : run.rows) cost.cycles = std::max(cost.cycles, row.completed);
  for (std::size_t row = 0; row < precisions.size(); ++row)
    cost.energy_pj += energies(precisions[row]).energy_pj(run.activity[row], 0);
  cost.energy_pj += energies({}).energy_pj({}, cost.cycles);
  return cost;
}

Program trial_program(const PlannedRows& rows, MemoryPlan plan) {
  CompiledProgram trial;
  trial.schedule = rows.schedule;
  build_program(rows.graph, rows.lowered, std::move(plan), rows.hardware, false, trial);
  return std::move(trial.program);
}

const SimulatedCost& simulated_cost(const PlannedRows& rows, const MappingMemo& mapper, MemoryPlan& plan) {
  if (plan.simulated) return *plan.simulated;
  const Program program = trial_program(rows, plan);
  if (mapper.measure().is_latency()) {
    plan.simulated = SimulatedCost{cycles_of_parts(rows.hardware, program, 1), 0.0};
  } else {
    plan.simulated = simulated_cost(rows.hardware, program, *mapper.mapper().energies());
  }
  return *plan.simulated;
}

}  // namespace qsim
