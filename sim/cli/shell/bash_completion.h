// Completion of qsim's command line for bash.
#pragma once

#include <string>
#include <vector>

#include "sim/cli/command.h"

namespace qsim::cli {

/// A script to source, or to install as share/bash-completion/completions/qsim. It needs nothing but bash 4.
[[nodiscard]] std::string bash_completion(const std::vector<Command>& all);

}  // namespace qsim::cli
