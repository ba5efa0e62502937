// qsim convert: a network in another format.
#pragma once

#include "sim/cli/command.h"

namespace qsim::cli {

[[nodiscard]] Command convert_command();

}  // namespace qsim::cli
