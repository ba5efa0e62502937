#include "sim/cli/shell/fish_completion.h"

#include <fmt/format.h>

#include "sim/cli/help.h"
#include "sim/cli/shell/value_source.h"

namespace qsim::cli {
namespace {

/// `%` stands for the names of the commands.
constexpr const char* kFishHelpers = R"(# Completion of qsim for fish, made from qsim's option tables.

# The command of the line; "run" for none.
function __qsim_command
    set -l words (commandline -opc)
    if set -q words[2]; and contains -- $words[2] %
        echo $words[2]
    else
        echo run
    end
end

function __qsim_is
    test (__qsim_command) = $argv[1]
end

function __qsim_first_word
    test (count (commandline -opc)) = 1
end

# Names that ship: hardware, energy or workloads; and the fields of a chip.
function __qsim_shipped
    set -l words (commandline -opc)
    set -l program (string replace -r '^~/' $HOME/ -- $words[1])
    $program list --names $argv[1] 2>/dev/null
end

# NAME=FILE has a name in front, which is left as it is.
function __qsim_value
    string replace -r '^--[a-z-]+=' '' -- (commandline -ct)
end

# Folders, and files with one of the extensions given.
function __qsim_files
    set -l value (__qsim_value)
    set -l endings /
    for extension in $argv
        set -a endings (string escape --style=regex -- $extension)
    end
    complete -C "__fish_command_without_completions $value" | string match -r -- '^[^\t]*(?:'(string join '|' $endings)')$'
end

# NAME=FILE: what follows the name is completed.
function __qsim_named_files
    set -l name (string match -r -- '^[^/=]*=' (__qsim_value); or echo '')
    set -l value (string replace -r -- '^[^/=]*=' '' (__qsim_value))
    for file in (complete -C "__fish_command_without_completions $value" | string match -r -- '^[^\t]*')
        for extension in / $argv
            string match -q -- "*$extension" $file; and echo $name$file
        end
    end
end
)";

std::string quoted(const std::string& text) {
  return "'" + escaped(text, "'\\", "\\") + "'";
}

/// The words after "complete": what the option's value may be.
std::string arguments(const Option& option, const std::vector<Command>& all) {
  const ValueSource source = value_source(option, all);
  std::vector<std::string> calls;
  if (!source.shipped.empty()) {
    const std::string suffix = source.shipped == "fields" ? " | string replace -r '$' =" : "";
    calls.push_back(fmt::format("(__qsim_shipped {}{})", source.shipped, suffix));
  }
  if (!source.words.empty()) calls.push_back(joined(source.words, " "));
  if (source.folders) calls.emplace_back("(__fish_complete_directories)");
  if (source.files && source.extensions.empty()) return " -F";
  if (source.files) {
    calls.push_back(fmt::format("({} {})", option.named ? "__qsim_named_files" : "__qsim_files",
                                joined(source.extensions, " ")));
  }
  return " -x" + (calls.empty() ? std::string() : " -a " + quoted(joined(calls, " ")));
}

std::string row(const Command& command, const Option& option, const std::vector<Command>& all) {
  const std::string name = command.words.name.empty() ? "run" : command.words.name;
  std::string text = fmt::format("complete -c qsim -n '__qsim_is {}'", name);
  if (option.positional) {
    const std::string words = arguments(option, all);  // no option takes them: without the -x
    return text + (words.starts_with(" -x") ? words.substr(3) : words) + "\n";
  }
  text += " -l " + option.name;
  if (option.short_name != '\0') text += std::string(" -s ") + option.short_name;
  if (option.takes_value()) text += arguments(option, all);
  return text + " -d " + quoted(option_help(option)) + "\n";
}

}  // namespace

std::string fish_completion(const std::vector<Command>& all) {
  std::string text = kFishHelpers;
  text.replace(text.find('%'), 1, joined(command_names(all), " "));
  text += "\ncomplete -c qsim -f\n";
  for (const Command& command : all) {
    if (command.words.name.empty()) continue;
    text += fmt::format("complete -c qsim -n __qsim_first_word -a {} -d {}\n", command.words.name,
                        quoted(command.words.summary));
  }
  for (const Command& command : all) {
    for (const Option& option : command.options) text += row(command, option, all);
  }
  return text;
}

}  // namespace qsim::cli
