// `qsim` without a command word: one run; chip and network in, reports out.
#pragma once

#include "sim/cli/command.h"
#include "sim/cli/commands/run_options.h"

namespace qsim::cli {

[[nodiscard]] Command run_command();

/// Reads everything, simulates, checks the accounting, writes what was asked for. Returns 0, or 1 where
/// accumulators that trap overflowed (results are written all the same). Throws InputError on bad input.
[[nodiscard]] int run(const RunOptions& options, const ShippedFiles& files);

}  // namespace qsim::cli
