// The command line: what was asked for, before any file is read.
#pragma once

#include <any>
#include <string>
#include <utility>
#include <vector>

#include "sim/cli/command.h"

namespace qsim::cli {

struct CommandLine {
  const Command* command = nullptr;  ///< One of the commands given; null: print `text` and end.
  std::any options;                  ///< Its options struct, filled.
  std::string text;                  ///< Of --help and --version.
  /// (argument, path) of every file that is to be written, in the order of the table.
  std::vector<std::pair<std::string, std::string>> outputs;
  /// The same of what may be a file that is read (or a name that ships, or not there at all).
  std::vector<std::pair<std::string, std::string>> inputs;
};

/// Finds the command that argv[1] names (else the first, which has no name) and fills its options by its
/// table. Throws InputError with every problem of the arguments. `commands` must outlive the result.
[[nodiscard]] CommandLine parse_command_line(const std::vector<Command>& commands, int argc,
                                             const char* const* argv);

}  // namespace qsim::cli
