// qsim quantize: a float network as one that runs on the chip.
#pragma once

#include "sim/cli/command.h"

namespace qsim::cli {

[[nodiscard]] Command quantize_command();

}  // namespace qsim::cli
