// Texts of --help, made from the option tables.
#pragma once

#include <string>
#include <vector>

#include "sim/cli/command.h"

namespace qsim::cli {

/// Summary, usage, options, notes, exit codes and examples; of qsim itself the names of the other commands
/// too.
[[nodiscard]] std::string help_text(const Command& command, const std::vector<Command>& all);

/// One line a command.
[[nodiscard]] std::string command_overview(const std::vector<Command>& all);

/// "-h, --help" or "--batch N": an option as help and man page write it.
[[nodiscard]] std::string option_heading(const Option& option);

/// The line of help with the default: "of the seeded inputs (default: 1)".
[[nodiscard]] std::string option_help(const Option& option);

}  // namespace qsim::cli
