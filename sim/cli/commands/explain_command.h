// qsim explain: what limits a run, and what more of each setting gains.
#pragma once

#include "sim/cli/command.h"

namespace qsim::cli {

[[nodiscard]] Command explain_command();

}  // namespace qsim::cli
