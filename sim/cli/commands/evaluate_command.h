// `qsim evaluate`: a labelled data set through the chip.
#pragma once

#include "sim/cli/command.h"

namespace qsim::cli {

[[nodiscard]] Command evaluate_command();

}  // namespace qsim::cli
