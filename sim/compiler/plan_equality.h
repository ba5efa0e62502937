// Whether two plans are executed alike.
#pragma once

#include "sim/compiler/plan.h"

namespace qsim {

/// Plans of the same rows: the same mappings, in the same places of the buffers. The room that they were made
/// for, what else might have been done and what they cost play no part.
[[nodiscard]] bool are_executed_alike(const MemoryPlan& one, const MemoryPlan& other);

}  // namespace qsim
