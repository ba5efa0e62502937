// One row of a command's option table. Parser, --help, shell completion and man page are made from the rows.
#pragma once

#include <any>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

namespace qsim::cli {

/// What an option takes: how its value is checked, and what the shell offers for it.
enum class ValueKind {
  flag,            ///< No value.
  integer,         ///< From min to max.
  choice,          ///< One of `choices`.
  hardware_field,  ///< PATH=VALUE of the hardware JSON: "mac_array.rows=64".
  hardware,        ///< Name of a hardware configuration that ships, or a .json file.
  workload,        ///< Name of a workload that ships, or a file.
  preprocess,      ///< Name of a preprocessing of images that ships, or a .json file.
  input_file,      ///< File that is read; `extensions` say which the shell offers.
  output_file,     ///< File that is written. Whether it can be is checked before the command starts.
  folder,
  command,  ///< Name of a command of qsim.
  text,
};

struct Option {
  std::string name = {};   ///< Long name without dashes; of a positional argument its word ("FILE").
  char short_name = '\0';  ///< 'h' for -h.
  ValueKind kind = ValueKind::flag;
  std::string value = {};  ///< Word for the value in help: "N", "FILE.json". Empty for flags.
  std::int64_t min = 0;    ///< Of integers, both ends included.
  std::int64_t max = std::numeric_limits<std::int64_t>::max();
  std::vector<std::string> choices = {};
  std::vector<std::string> extensions = {};  ///< ".npy"; none: any file.
  bool named = false;                        ///< Of files: NAME=FILE is taken too.
  bool reads_data = false;                   ///< Of texts: a file or folder that is read, or FORMAT:PATH.
  bool positional = false;                   ///< Given by its place, without a name.
  bool required = false;
  bool repeatable = false;
  std::vector<std::string> excludes = {};  ///< Names of options that cannot be given beside this one ..
  std::string excludes_because = {};       ///< .. and why: "no values are computed".
  std::string needs = {};                  ///< Name of the option without which this one says nothing.
  std::string group = {};                  ///< Heading in the man page; blank lines in help.
  bool joins_previous = false;             ///< On one line of help with the row before.
  std::string default_text = {};           ///< "npu": shown as "(default: npu)".
  std::string help = {};                   ///< One line, no full stop.
  std::string detail = {};                 ///< Further sentences for the manual page.

  /// Puts one value, already checked, into the command's options struct (CommandTable makes this).
  std::function<void(std::any& options, const std::string& text)> store = {};

  [[nodiscard]] bool takes_value() const { return kind != ValueKind::flag; }
  /// As one writes it: "--batch", or the word of a positional argument.
  [[nodiscard]] std::string written() const { return positional ? name : "--" + name; }
};

}  // namespace qsim::cli
