// The one exception type for bad input. Libraries throw it; only the command line prints it and turns it
// into exit code 2.
#pragma once

#include <cstddef>
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

  /// "file: place: got VALUE, expected EXPECTED; HINT" without the empty parts: one line, control characters
  /// escaped (printable.h), long parts shortened in the middle.
  [[nodiscard]] std::string to_string() const;
};

/// Problems that are kept and listed; the rest is counted. A file with more is broken as a whole.
inline constexpr std::size_t kMostListedProblems = 50;

/// Bad input: arguments, configuration, model, data or an output that cannot be written. All problems found
/// in one file travel together. `what()` has one line a problem.
class InputError : public std::runtime_error {
 public:
  explicit InputError(Problem problem);
  /// `omitted`: problems that were found beside these. Of more than kMostListedProblems the first are kept.
  explicit InputError(std::vector<Problem> problems, std::size_t omitted = 0);

  [[nodiscard]] const std::vector<Problem>& problems() const { return problems_; }
  [[nodiscard]] std::size_t omitted() const { return omitted_; }
  /// One a problem, and "... and 3,217 more" where some were left out.
  [[nodiscard]] std::vector<std::string> lines() const;

 private:
  std::vector<Problem> problems_;
  std::size_t omitted_ = 0;
};

/// Gathers problems while reading goes on; of very many it keeps the first and counts the others.
class ProblemCollector {
 public:
  explicit ProblemCollector(std::size_t most = kMostListedProblems) : most_(most) {}
  void add(Problem problem);
  /// Those of another file.
  void add(const InputError& error);
  [[nodiscard]] bool empty() const { return problems_.empty(); }
  /// Those that are kept.
  [[nodiscard]] const std::vector<Problem>& all() const { return problems_; }
  /// What is added now is only counted: nobody will read its words.
  [[nodiscard]] bool is_full() const { return problems_.size() >= most_; }
  [[nodiscard]] std::size_t omitted() const { return omitted_; }
  /// Throws InputError when there is any.
  void throw_if_any() const;

 private:
  std::size_t most_;
  std::vector<Problem> problems_;
  std::size_t omitted_ = 0;
};

}  // namespace qsim
