// Every command of qsim.
#pragma once

#include <vector>

#include "sim/cli/command.h"

namespace qsim::cli {

/// In the order in which they are listed. The first, without a name, is what `qsim` does without a command
/// word.
[[nodiscard]] std::vector<Command> all_commands();

}  // namespace qsim::cli
