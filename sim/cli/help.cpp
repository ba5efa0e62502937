#include "sim/cli/help.h"

#include <fmt/format.h>

#include <algorithm>

namespace qsim::cli {
namespace {

constexpr std::size_t kColumns = 100;
constexpr std::size_t kWidestHeading = 26;  ///< A longer one does not move the column of the help.

std::string usage_lines(const Command& command) {
  std::string text;
  for (const std::string& usage : command.words.usage) {
    text += fmt::format("{} {} {}\n", text.empty() ? "usage:" : "      ", command.call(), usage);
  }
  return text;
}

/// "usage: qsim .. [options], or a command:" and the commands, in as many lines as it takes.
std::string usage_of_program(const Command& program, const std::vector<Command>& all) {
  std::string text = usage_lines(program);
  text.pop_back();
  const std::size_t last_line = text.rfind('\n');
  std::string line = text.substr(last_line == std::string::npos ? 0 : last_line + 1) + ", or a command:";
  text.erase(text.size() - (line.size() - std::string_view(", or a command:").size()));
  for (const Command& command : all) {
    if (command.words.name.empty()) continue;
    const std::string word = command.words.name + (&command == &all.back() ? "" : ",");
    if (line.size() + 1 + word.size() > kColumns) {
      text += line + "\n";
      line.assign(1, ' ');
    }
    line += ' ' + word;
  }
  return text + line + "\n";
}

/// Blank lines part the groups of a table of at most so many options: with them a longer one leaves the
/// screen.
constexpr std::size_t kMostParted = 30;

std::string option_lines(const std::vector<Option>& options) {
  std::size_t column = 0;
  const auto heading_of = [&](std::size_t i) {
    std::string heading = option_heading(options[i]);
    for (; i + 1 < options.size() && options[i + 1].joins_previous; ++i)
      heading += ", " + option_heading(options[i + 1]);
    return heading;
  };
  const auto help_of = [&](std::size_t i) {
    std::string help = option_help(options[i]);
    for (; i + 1 < options.size() && options[i + 1].joins_previous; ++i)
      help += "; " + option_help(options[i + 1]);
    return help;
  };
  for (std::size_t i = 0; i < options.size(); ++i) {
    const std::size_t width = options[i].joins_previous ? 0 : heading_of(i).size();
    if (width <= kWidestHeading) column = std::max(column, width);
  }
  std::string text;
  for (std::size_t i = 0; i < options.size(); ++i) {
    const Option& option = options[i];
    if (option.joins_previous) continue;
    // --version and --help, without a group, follow the last one.
    const bool begins_group = !text.empty() && !option.group.empty() && option.group != (&option - 1)->group;
    if (begins_group && options.size() <= kMostParted) text += "\n";
    text += fmt::format("  {:<{}}  {}\n", heading_of(i), column, help_of(i));
  }
  return text;
}

std::string exit_codes(const Command& command) {
  const std::string& failure = command.words.exit_1;
  return fmt::format("exit code: 0 success, {}2 bad input, 70 internal error, 130 interrupted\n",
                     failure.empty() ? "" : "1 " + failure + ", ");
}

}  // namespace

std::string option_heading(const Option& option) {
  if (option.positional) return option.name;
  const std::string short_name = option.short_name == '\0' ? "" : fmt::format("-{}, ", option.short_name);
  return short_name + option.written() + (option.takes_value() ? " " + option.value : "");
}

std::string option_help(const Option& option) {
  return option.help + (option.default_text.empty() ? "" : " (default: " + option.default_text + ")");
}

std::string help_text(const Command& command, const std::vector<Command>& all) {
  // That of the program needs its lines for options, to fit on a screen: `qsim help` has its summary.
  std::string text = command.words.name.empty() ? usage_of_program(command, all)
                                                : command.words.summary + ".\n" + usage_lines(command);
  text += option_lines(command.options);
  for (const std::string& note : command.words.notes) text += note + "\n";
  text += exit_codes(command);
  for (const std::string& example : command.words.examples) text += "example: " + example + "\n";
  return text;
}

std::string command_overview(const std::vector<Command>& all) {
  std::string text;
  for (const Command& command : all)
    text += fmt::format("  {:<22}  {}\n", command.call(), command.words.summary);
  return text;
}

}  // namespace qsim::cli
