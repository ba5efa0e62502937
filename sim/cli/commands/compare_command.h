// `qsim compare`: quantization schemes side by side.
#pragma once

#include "sim/cli/command.h"

namespace qsim::cli {

[[nodiscard]] Command compare_command();

}  // namespace qsim::cli
