// `qsim check`: whether a network runs on a chip, node by node.
#pragma once

#include "sim/cli/command.h"

namespace qsim::cli {

[[nodiscard]] Command check_command();

}  // namespace qsim::cli
