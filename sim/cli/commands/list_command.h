// `qsim list`: what ships.
#pragma once

#include "sim/cli/command.h"

namespace qsim::cli {

[[nodiscard]] Command list_command();

}  // namespace qsim::cli
