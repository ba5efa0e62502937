// A command of qsim: its words, its table of options, and what it does.
#pragma once

#include <any>
#include <charconv>
#include <concepts>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "sim/cli/option.h"
#include "sim/cli/shipped_files.h"

namespace qsim::cli {

struct CommandWords {
  std::string name = {};                   ///< "list"; empty: qsim without a command word.
  std::string summary = {};                ///< One sentence without full stop, at most 80 columns.
  std::vector<std::string> usage = {};     ///< What follows "qsim NAME ", a line each.
  std::vector<std::string> notes = {};     ///< Lines after the options.
  std::vector<std::string> examples = {};  ///< Whole command lines.
  std::string exit_1 = {};                 ///< What exit code 1 means; empty: it does not occur.
};

struct Command {
  CommandWords words;
  std::vector<Option> options;  ///< In the order of the help; --help is the last.
  std::function<std::any()> make_options;
  std::function<int(const std::any& options, const ShippedFiles& files)> run;

  /// "qsim" or "qsim list".
  [[nodiscard]] std::string call() const { return words.name.empty() ? "qsim" : "qsim " + words.name; }
};

/// How a checked value reaches a member of an options struct.
inline void assign(bool& member, const std::string& /*text*/) {
  member = true;
}
inline void assign(std::string& member, const std::string& text) {
  member = text;
}
inline void assign(std::vector<std::string>& member, const std::string& text) {
  member.push_back(text);
}
template <std::integral Integer>
void assign(Integer& member, const std::string& text) {
  // The row's range has to fit the member.
  if (std::from_chars(text.data(), text.data() + text.size(), member).ec != std::errc())
    throw std::logic_error("an option's range is wider than its member: " + text);
}
template <typename Value>
void assign(std::optional<Value>& member, const std::string& text) {
  assign(member.emplace(), text);
}

/// Builds a command whose options fill the struct `Options`: one add() a row.
///
///     return CommandTable<ListOptions>({.name = "list", ...})
///         .add({.name = "json", .help = "as JSON"}, &ListOptions::json)
///         .runs(list);
template <typename Options>
class CommandTable {
 public:
  explicit CommandTable(CommandWords words) {
    command_.words = std::move(words);
    command_.make_options = [] { return std::any(Options{}); };
  }

  /// The value goes to a member of type bool (flags), std::string, std::vector<std::string> (repeatable), an
  /// integer, or a std::optional of these.
  template <typename Member>
  CommandTable& add(Option option, Member Options::*member) {
    return add(std::move(option),
               [member](Options& options, const std::string& text) { assign(options.*member, text); });
  }

  /// Any other use of the value: a function of (Options&, const std::string&).
  template <std::invocable<Options&, const std::string&> Store>
  CommandTable& add(Option option, Store store) {
    option.store = [store](std::any& options, const std::string& text) {
      store(std::any_cast<Options&>(options), text);
    };
    command_.options.push_back(std::move(option));
    return *this;
  }

  /// A flag that the parser itself answers: --version.
  CommandTable& add(Option option) {
    command_.options.push_back(std::move(option));
    return *this;
  }

  /// The options added so far also append themselves to a list, as one writes them: {"--hw", "npu"}.
  CommandTable& records(std::vector<std::string> Options::*list) {
    for (Option& option : command_.options) {
      option.store = [store = std::move(option.store), name = option.written(),
                      takes_value = option.takes_value(), list](std::any& options, const std::string& text) {
        store(options, text);
        std::vector<std::string>& words = std::any_cast<Options&>(options).*list;
        words.push_back(name);
        if (takes_value) words.push_back(text);
      };
    }
    return *this;
  }

  /// The last call: what the command does with its options; the result is the exit code.
  [[nodiscard]] Command runs(int (*function)(const Options&, const ShippedFiles&)) {
    add({.name = "help", .short_name = 'h', .help = "this text"});
    command_.run = [function](const std::any& options, const ShippedFiles& files) {
      return function(std::any_cast<const Options&>(options), files);
    };
    return std::move(command_);
  }

 private:
  Command command_;
};

}  // namespace qsim::cli
