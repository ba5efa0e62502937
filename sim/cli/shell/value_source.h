// Where a shell finds what may stand as an option's value.
#pragma once

#include <string>
#include <vector>

#include "sim/cli/command.h"

namespace qsim::cli {

struct ValueSource {
  std::string shipped;             ///< KIND of `qsim list --names KIND`, asked for when completing; or empty.
  std::vector<std::string> words;  ///< Fixed words.
  bool files = false;
  bool folders = false;
  std::vector<std::string> extensions;  ///< Of files; none: all.
};

/// Nothing of all this for text and integers.
[[nodiscard]] ValueSource value_source(const Option& option, const std::vector<Command>& all);

/// Names of the commands that have one.
[[nodiscard]] std::vector<std::string> command_names(const std::vector<Command>& all);

/// "--batch", "-b": every way to write the option; nothing for positional arguments.
[[nodiscard]] std::vector<std::string> spellings(const Option& option);

[[nodiscard]] std::string joined(const std::vector<std::string>& words, const std::string& separator);

/// `text` with `mark` before each character that is one of `special`.
[[nodiscard]] std::string escaped(const std::string& text, const std::string& special,
                                  const std::string& mark);

}  // namespace qsim::cli
