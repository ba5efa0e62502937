#include "sim/cli/shell/zsh_completion.h"

#include <fmt/format.h>

#include "sim/cli/help.h"
#include "sim/cli/shell/value_source.h"

namespace qsim::cli {
namespace {

/// zsh calls an action with compadd's options before the action's own words.
constexpr const char* kZshHelpers = R"(#compdef qsim
# Completion of qsim for zsh, made from qsim's option tables.

# Names that ship: the last argument is hardware, energy or workloads; or fields, to each of which a value belongs.
(( $+functions[_qsim_shipped] )) || _qsim_shipped() {
  local -a names suffix
  names=("${(@f)$(_call_program ${@[-1]} ${(q)qsim} list --names ${@[-1]} 2>/dev/null)}")
  [[ ${@[-1]} == fields ]] && suffix=(-S =)
  compadd "${@[1,-2]}" "${suffix[@]}" -a names
}

# NAME=FILE: what follows the name is completed.
(( $+functions[_qsim_named_files] )) || _qsim_named_files() {
  [[ ${PREFIX%%=*} == */* ]] || compset -P 1 '*='
  _files "$@"
}
)";

/// Text in _arguments' specifications, between single quotes.
std::string zsh_quoted(const std::string& text) {
  std::string result;
  for (const char c : escaped(text, "\\:[]", "\\")) {
    if (c == '\'') {
      result += R"('\'')";
    } else {
      result += c;
    }
  }
  return result;
}

std::string files_action(const ValueSource& source, bool named) {
  std::string function = named ? "_qsim_named_files" : "_files";
  if (source.extensions.empty()) return function;
  const std::string pattern = source.extensions.size() == 1 ? "*" + source.extensions[0]
                                                            : "*(" + joined(source.extensions, "|") + ")";
  return fmt::format("{} -g \"{}\"", function, pattern);
}

/// What follows "message:" in a specification.
std::string action(const Option& option, const std::vector<Command>& all) {
  const ValueSource source = value_source(option, all);
  if (!source.words.empty()) return "(" + joined(source.words, " ") + ")";
  if (source.folders) return "_files -/";
  if (source.shipped.empty()) return source.files ? files_action(source, option.named) : " ";
  if (!source.files) return "_qsim_shipped " + source.shipped;
  return fmt::format(R"(_alternative "{0}\:{0}\:_qsim_shipped {0}" "files\:file\:{1}")", source.shipped,
                     escaped(files_action(source, option.named), "\"", "\\"));
}

/// One specification of _arguments.
std::string specification(const Option& option, const std::vector<Command>& all) {
  if (option.positional) {
    return fmt::format("'{}:{}:{}'", option.repeatable ? "*" : "", zsh_quoted(option.name),
                       action(option, all));
  }
  if (option.name == "help" || option.name == "version") {
    std::string specs;
    for (const std::string& name : spellings(option))
      specs +=
          fmt::format("{}'(- *){}[{}]'", specs.empty() ? "" : " ", name, zsh_quoted(option_help(option)));
    return specs;
  }
  std::vector<std::string> names = spellings(option),
                           excluded = option.repeatable ? std::vector<std::string>{} : names;
  for (const std::string& other : option.excludes) excluded.push_back("--" + other);
  std::string specs;
  for (const std::string& name : names) {
    const bool is_long = name.starts_with("--");
    specs += fmt::format("{}'({}){}{}{}[{}]", specs.empty() ? "" : " ", joined(excluded, " "),
                         option.repeatable ? "*" : "", name,
                         !option.takes_value() ? ""
                         : is_long             ? "="
                                               : "+",
                         zsh_quoted(option_help(option)));
    specs +=
        option.takes_value() ? fmt::format(":{}:{}'", zsh_quoted(option.value), action(option, all)) : "'";
  }
  return specs;
}

}  // namespace

std::string zsh_completion(const std::vector<Command>& all) {
  std::string text = kZshHelpers;
  text += "\n_qsim() {\n  local qsim=${~words[1]} command=\n  local -a options\n";
  text += fmt::format("  if (( CURRENT > 2 )) && [[ $words[2] == ({}) ]]; then\n",
                      joined(command_names(all), "|"));
  text += "    command=$words[2]\n    shift words\n    (( CURRENT-- ))\n  fi\n  case $command in\n";
  for (const Command& command : all) {
    text +=
        fmt::format("    ({})\n      options=(\n", command.words.name.empty() ? "''" : command.words.name);
    for (const Option& option : command.options) text += "        " + specification(option, all) + "\n";
    text += "      )\n";
    if (command.words.name.empty()) {
      text += "      if (( CURRENT == 2 )); then\n        options+=('1:command:((";
      for (const Command& other : all) {
        if (other.words.name.empty()) continue;
        text += fmt::format(R"( {}\:"{}")", other.words.name, zsh_quoted(zsh_quoted(other.words.summary)));
      }
      text += " ))')\n      fi\n";
    }
    text += "      ;;\n";
  }
  return text + "  esac\n  _arguments -s -S \"${options[@]}\"\n}\n\n_qsim \"$@\"\n";
}

}  // namespace qsim::cli
