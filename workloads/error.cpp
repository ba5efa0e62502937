#include "workloads/error.h"

#include <utility>

namespace qsim {
namespace {

/// Appends `text` after `separator` where both sides have something to say.
void append(std::string& line, const char* separator, const std::string& text) {
  if (text.empty()) return;
  if (!line.empty()) line += separator;
  line += text;
}

std::string join_lines(const std::vector<Problem>& problems) {
  std::string lines;
  for (const Problem& problem : problems) append(lines, "\n", problem.to_string());
  return lines.empty() ? "bad input" : lines;
}

}  // namespace

std::string Problem::to_string() const {
  std::string finding = value.empty() ? "" : "got " + value;
  append(finding, ", ", expected.empty() ? "" : "expected " + expected);
  append(finding, "; ", hint);
  std::string line = file;
  append(line, ": ", place);
  append(line, ": ", finding);
  return line;
}

InputError::InputError(Problem problem) : InputError(std::vector<Problem>{std::move(problem)}) {}

InputError::InputError(std::vector<Problem> problems)
    : std::runtime_error(join_lines(problems)), problems_(std::move(problems)) {}

}  // namespace qsim
