// qsim memory-map: where everything lies in the buffers, from row to row.
#pragma once

#include "sim/cli/command.h"

namespace qsim::cli {

[[nodiscard]] Command memory_map_command();

}  // namespace qsim::cli
