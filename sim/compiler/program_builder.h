// From a plan to the Program: addresses in DRAM, nests, images, report rows.
#pragma once

#include <vector>

#include "hw_models/hardware_config.h"
#include "sim/compiler/compile.h"
#include "sim/compiler/lower.h"
#include "sim/compiler/plan.h"

namespace qsim {

/// Fills in program, rows and placements of `out`, whose schedule the plan is for. Tensors lie in DRAM before
/// the weights, those in the order in which they are first used.
void build_program(const Graph& graph, const std::vector<LoweredRow>& lowered, MemoryPlan plan,
                   const HardwareConfig& hardware, bool with_images, CompiledProgram& out);

}  // namespace qsim
