// Completion of qsim's command line for zsh.
#pragma once

#include <string>
#include <vector>

#include "sim/cli/command.h"

namespace qsim::cli {

/// The function _qsim, to be installed as share/zsh/site-functions/_qsim.
[[nodiscard]] std::string zsh_completion(const std::vector<Command>& all);

}  // namespace qsim::cli
