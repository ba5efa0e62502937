// Plans in which chains of rows are executed in stripes.
#pragma once

#include <vector>

#include "hw_models/hardware_config.h"
#include "sim/compiler/lower.h"
#include "sim/compiler/mapping_memo.h"
#include "sim/compiler/plan.h"
#include "sim/compiler/schedule.h"

namespace qsim {

/// The cheapest plans with chains (chain_choice.h), a few, the cheapest first; none where the machine does
/// not fuse, and none that costs more than `unfused` by so much that a run will not show anything else.
[[nodiscard]] std::vector<MemoryPlan> make_fused_plans(const Schedule& schedule,
                                                       const std::vector<LoweredRow>& lowered,
                                                       const HardwareConfig& hardware, MappingMemo& mapper,
                                                       const MemoryPlan& unfused);

}  // namespace qsim
