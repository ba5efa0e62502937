// Accumulators that trap: what the user is told, and the exit code.
#pragma once

#include "sim/result.h"

namespace qsim::cli {

/// 0, or 1 and a line on standard error for each row whose accumulators trapped.
[[nodiscard]] int report_traps(const RunResult& result);

}  // namespace qsim::cli
