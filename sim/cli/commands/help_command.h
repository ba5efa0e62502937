// `qsim help [COMMAND]`: the commands, or one command's --help.
#pragma once

#include "sim/cli/command.h"

namespace qsim::cli {

[[nodiscard]] Command help_command();

}  // namespace qsim::cli
