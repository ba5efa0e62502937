// qsim roofline: the layers of a run against the ceilings of its machine.
#pragma once

#include "sim/cli/command.h"

namespace qsim::cli {

[[nodiscard]] Command roofline_command();

}  // namespace qsim::cli
