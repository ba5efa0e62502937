#include "base/error.h"

#include <utility>

#include "base/printable.h"

namespace qsim {
namespace {

// A message has to fit a screen whatever the names in a file are.
constexpr std::size_t kMaxPlaceBytes = 512;
constexpr std::size_t kMaxValueBytes = 256;
constexpr std::size_t kMaxTextBytes = 4096;

/// Appends `text` after `separator` where both sides have something to say.
void append(std::string& line, const char* separator, const std::string& text) {
  if (text.empty()) return;
  if (!line.empty()) line += separator;
  line += text;
}

/// "3,217"
std::string with_commas(std::size_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

std::vector<std::string> lines_of(const std::vector<Problem>& problems, std::size_t omitted) {
  std::vector<std::string> lines;
  for (const Problem& problem : problems) {
    if (lines.size() == kMostListedProblems) break;
    lines.push_back(problem.to_string());
  }
  omitted += problems.size() - lines.size();
  if (omitted > 0) lines.push_back("... and " + with_commas(omitted) + " more");
  return lines;
}

std::string join_lines(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) append(text, "\n", line);
  return text.empty() ? "bad input" : text;
}

}  // namespace

std::string Problem::to_string() const {
  std::string finding = value.empty() ? "" : "got " + printable(value, kMaxValueBytes);
  append(finding, ", ", expected.empty() ? "" : "expected " + printable(expected, kMaxTextBytes));
  append(finding, "; ", printable(hint, kMaxTextBytes));
  std::string line = printable(file, kMaxPlaceBytes);
  append(line, ": ", printable(place, kMaxPlaceBytes));
  append(line, ": ", finding);
  return line;
}

InputError::InputError(Problem problem) : InputError(std::vector<Problem>{std::move(problem)}) {}

InputError::InputError(std::vector<Problem> problems, std::size_t omitted)
    : std::runtime_error(join_lines(lines_of(problems, omitted))),
      problems_(std::move(problems)),
      omitted_(omitted) {
  if (problems_.size() <= kMostListedProblems) return;
  omitted_ += problems_.size() - kMostListedProblems;
  problems_.resize(kMostListedProblems);
}

std::vector<std::string> InputError::lines() const {
  return lines_of(problems_, omitted_);
}

void ProblemCollector::add(Problem problem) {
  if (is_full()) {
    ++omitted_;
  } else {
    problems_.push_back(std::move(problem));
  }
}

void ProblemCollector::add(const InputError& error) {
  for (const Problem& problem : error.problems()) add(problem);
  omitted_ += error.omitted();
}

void ProblemCollector::throw_if_any() const {
  if (!problems_.empty()) throw InputError(problems_, omitted_);
}

}  // namespace qsim
