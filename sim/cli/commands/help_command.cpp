#include "sim/cli/commands/help_command.h"

#include <algorithm>

#include "base/json_reader.h"
#include "sim/cli/command_list.h"
#include "sim/cli/help.h"
#include "sim/cli/output_files.h"

namespace qsim::cli {
namespace {

struct HelpOptions {
  std::string command;
};

int help(const HelpOptions& options, const ShippedFiles& /*files*/) {
  const std::vector<Command> commands = all_commands();
  if (options.command.empty()) {
    write_standard_output(command_overview(commands));
    return 0;
  }
  std::vector<std::string> names;
  for (const Command& command : commands) {
    names.push_back(command.words.name);
    if (command.words.name != options.command) continue;
    write_standard_output(help_text(command, commands));
    return 0;
  }
  const std::string nearest = nearest_name(options.command, names);
  throw InputError({"COMMAND", "", '"' + options.command + '"', "a command of qsim",
                    nearest.empty() ? "qsim help lists the commands" : "did you mean " + nearest + "?"});
}

}  // namespace

Command help_command() {
  return CommandTable<HelpOptions>({.name = "help",
                                    .summary = "Lists the commands, or shows the options of one",
                                    .usage = {"[COMMAND]"},
                                    .examples = {"qsim help list"}})
      .add({.name = "COMMAND", .kind = ValueKind::command, .positional = true, .help = "a command's name"},
           &HelpOptions::command)
      .runs(help);
}

}  // namespace qsim::cli
