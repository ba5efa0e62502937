// qsim compare-outputs: two sets of tensors, or a run against a reference.
#pragma once

#include "sim/cli/command.h"

namespace qsim::cli {

[[nodiscard]] Command compare_outputs_command();

}  // namespace qsim::cli
