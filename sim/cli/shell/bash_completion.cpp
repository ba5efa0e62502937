#include "sim/cli/shell/bash_completion.h"

#include <fmt/format.h>

#include "sim/cli/shell/value_source.h"

namespace qsim::cli {
namespace {

/// In bash's dynamic scope these see the variables of _qsim: `value` is what is being completed, `qsim` the
/// program as it was called.
constexpr const char* kHelpers = R"(# Completion of qsim for bash, made from qsim's option tables.

# Candidates are the lines of standard input that begin with $value.
_qsim_lines() {
  local line
  while IFS= read -r line; do
    [[ $line == "$value"* ]] && COMPREPLY+=("$line")
  done
}

_qsim_words() { _qsim_lines < <(printf '%s\n' "$@"); }

# Names that ship: hardware, energy or workloads; and the fields of a chip, to each of which a value belongs.
_qsim_shipped() {
  if [[ $1 == fields ]]; then
    compopt -o nospace 2>/dev/null
    _qsim_lines < <("$qsim" list --names fields 2>/dev/null | sed 's/$/=/')
  else
    _qsim_lines < <("$qsim" list --names "$1" 2>/dev/null)
  fi
}

# Folders, and files with one of the extensions given; where none fits, all files.
_qsim_files() {
  local path extension
  compopt -o filenames -o default 2>/dev/null
  while IFS= read -r path; do
    [[ -d ${path/#\~\//"$HOME/"} || $# == 0 ]] && COMPREPLY+=("$path") && continue
    for extension; do
      [[ $path == *"$extension" ]] && COMPREPLY+=("$path")
    done
  done < <(compgen -f -- "$value")
}

_qsim_folders() {
  compopt -o filenames 2>/dev/null
  _qsim_lines < <(compgen -d -- "$value")
}

# NAME=FILE: what follows the name is completed.
_qsim_after_name() {
  [[ ${value%%=*} == */* || $value != *=* ]] && return
  prefix+=${value%%=*}=
  value=${value#*=}
}

# The options of the command that are not there yet, or that may be repeated.
_qsim_options() {
  local option
  for option in $options; do
    [[ " ${words[*]:1:current-1} " == *" $option"[\ =]* && " $repeatable " != *" $option "* ]] && continue
    _qsim_words "$option"
  done
}
)";

/// bash cuts words at the characters of COMP_WORDBREAKS, '=' and ':' among them, and replaces only the last
/// piece: words are put together first, and what stands before the last piece is cut off the candidates.
constexpr const char* kWords = R"(
_qsim() {
  local qsim=${1/#\~\//"$HOME/"} value prefix= previous strip options= repeatable= command= i
  local -a words=()
  for ((i = 0; i <= COMP_CWORD; ++i)); do
    if ((i > 1)) && [[ ${COMP_WORDS[i]} == [=:]* || ${COMP_WORDS[i-1]} == *[=:] ]]; then
      words[-1]+=${COMP_WORDS[i]}
    else
      words+=("${COMP_WORDS[i]}")
    fi
  done
  local current=$((${#words[@]} - 1)) piece=${COMP_WORDS[COMP_CWORD]}
  [[ $piece == [=:] ]] && piece=
  value=${words[current]} previous=${words[current-1]}
  strip=${value%"$piece"}
  value=$strip${piece#[\"\']}
  COMPREPLY=()
)";

constexpr const char* kEnd = R"(
  local -a replies=("${COMPREPLY[@]}")
  COMPREPLY=()
  for i in "${replies[@]}"; do
    i=$prefix$i
    COMPREPLY+=("${i#"$strip"}")
  done
}

complete -F _qsim qsim
)";

std::string offer(const ValueSource& source, bool named) {
  std::vector<std::string> calls;
  if (!source.shipped.empty()) calls.push_back("_qsim_shipped " + source.shipped);
  if (!source.words.empty()) calls.push_back("_qsim_words " + joined(source.words, " "));
  if (named) calls.emplace_back("_qsim_after_name");
  if (source.files) {
    std::string call = "_qsim_files";
    for (const std::string& extension : source.extensions) call += " " + extension;
    calls.push_back(call);
  }
  if (source.folders) calls.emplace_back("_qsim_folders");
  return joined(calls, "; ");
}

/// One case a command: its options, and what its positional arguments may be.
std::string command_cases(const std::vector<Command>& all) {
  std::string text;
  for (const Command& command : all) {
    std::vector<std::string> options, repeatable, positional;
    for (const Option& option : command.options) {
      for (const std::string& name : spellings(option)) {
        options.push_back(name);
        if (option.repeatable) repeatable.push_back(name);
      }
      const std::string values = offer(value_source(option, all), option.named);
      if (option.positional && !values.empty()) positional.push_back(values);
    }
    if (command.words.name.empty())
      positional.push_back("((current == 1)) && _qsim_words " + joined(command_names(all), " "));
    text += fmt::format("        '{}')\n          options='{}'\n", command.words.name, joined(options, " "));
    if (!repeatable.empty()) text += fmt::format("          repeatable='{}'\n", joined(repeatable, " "));
    for (const std::string& values : positional) text += fmt::format("          {}\n", values);
    text += "          ;;\n";
  }
  return text;
}

/// One case an option that takes a value: 'list --names'.
std::string value_cases(const std::vector<Command>& all) {
  std::string text;
  for (const Command& command : all) {
    for (const Option& option : command.options) {
      if (option.positional || !option.takes_value()) continue;
      std::vector<std::string> patterns;
      for (const std::string& name : spellings(option))
        patterns.push_back(fmt::format("'{} {}'", command.words.name, name));
      text += fmt::format("    {}) {} ;;\n", joined(patterns, " | "),
                          offer(value_source(option, all), option.named));
    }
  }
  return text;
}

}  // namespace

std::string bash_completion(const std::vector<Command>& all) {
  std::string text = std::string(kHelpers) + kWords;
  text +=
      fmt::format("  case ${{words[1]}} in\n    {}) ((current > 1)) && command=${{words[1]}} ;;\n  esac\n",
                  joined(command_names(all), " | "));
  text +=
      "  if [[ $value == --*=* ]]; then\n"
      "    previous=${value%%=*} prefix=${value%%=*}= value=${value#*=}\n"
      "  fi\n"
      "  case \"$command $previous\" in\n" +
      value_cases(all) +
      "    *)\n"
      "      [[ $prefix ]] && return\n"
      "      case $command in\n" +
      command_cases(all) +
      "      esac\n"
      "      [[ $value == -* || ! $value && ${#COMPREPLY[@]} == 0 ]] && _qsim_options\n"
      "      ;;\n"
      "  esac";
  return text + kEnd;
}

}  // namespace qsim::cli
