// The one exception type for bad input. Libraries throw it; only the command line prints it and turns it
// into exit code 2.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

namespace qsim {

/// One thing that is wrong with an input, in the words of the person who can mend it.
struct Problem {
  std::string file;   ///< File that holds the problem, or the argument's name ("--set").
  std::string place;  ///< Place in it: a JSON path ("mac_array.rows"), an operator, a tensor, a byte offset.
  std::string value;  ///< What was found, as written; empty when nothing was.
  std::string expected;  ///< What would have been right, with the unit.
  std::string hint;      ///< What to do about it.

  /// "file: place: got VALUE, expected EXPECTED; HINT" without the empty parts.
  [[nodiscard]] std::string to_string() const;
};

/// Bad input: arguments, configuration, model, data or an output that cannot be written. All problems found
/// in one file travel together. `what()` has one line a problem.
class InputError : public std::runtime_error {
 public:
  explicit InputError(Problem problem);
  explicit InputError(std::vector<Problem> problems);

  [[nodiscard]] const std::vector<Problem>& problems() const { return problems_; }

 private:
  std::vector<Problem> problems_;
};

}  // namespace qsim
