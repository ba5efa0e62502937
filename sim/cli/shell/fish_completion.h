// Completion of qsim's command line for fish.
#pragma once

#include <string>
#include <vector>

#include "sim/cli/command.h"

namespace qsim::cli {

/// To be installed as share/fish/vendor_completions.d/qsim.fish.
[[nodiscard]] std::string fish_completion(const std::vector<Command>& all);

}  // namespace qsim::cli
