// `qsim report`: a run's report as a page.
#pragma once

#include "sim/cli/command.h"

namespace qsim::cli {

[[nodiscard]] Command report_command();

}  // namespace qsim::cli
