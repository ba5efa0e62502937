// qsim accumulators: how wide a network's accumulators have to be, and what narrower ones save.
#pragma once

#include "sim/cli/command.h"

namespace qsim::cli {

[[nodiscard]] Command accumulators_command();

}  // namespace qsim::cli
