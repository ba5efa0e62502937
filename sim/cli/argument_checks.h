// What can be wrong with arguments, in words.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "sim/cli/option.h"

namespace qsim::cli {

/// Gathers the problems of a command's arguments. `call` is "qsim" or "qsim list".
class ArgumentChecks {
 public:
  explicit ArgumentChecks(std::string call)
      : hint_(call + " --help lists the options"), call_(std::move(call)) {}

  void add(std::string argument, std::string value, std::string expected, std::string hint);
  /// The same with the hint that --help lists the options.
  void add(std::string argument, std::string value, std::string expected);

  /// A value against its row: ranges of integers, choices, no empty words. True when it may be stored.
  bool value(const Option& option, const std::string& text);

  /// A required option that was not given.
  void required(const Option& option);

  /// Words that are no option of the command: options first; a bare word beside one is most likely its value.
  /// `commands` are words that go first.
  void unknown(const std::vector<std::string>& words, std::vector<std::string> options,
               const std::vector<std::string>& commands);

  void throw_if_any() const;

 private:
  std::string hint_;
  std::string call_;
  std::vector<Problem> problems_;
};

}  // namespace qsim::cli
