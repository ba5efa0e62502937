#include "tests/fuzz/expect_input_error.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>

#include "base/error.h"

namespace {

void demand(bool holds, const char* what, const std::string& line) {
  if (holds) return;
  std::fprintf(stderr, "a message %s: %s\n", what, line.c_str());
  std::abort();
}

/// Aborts at the end of a scope that took more than a second of all the program's threads.
class ProcessorTime {
 public:
  ProcessorTime() : begin_(std::clock()) {}
  ProcessorTime(const ProcessorTime&) = delete;
  ProcessorTime& operator=(const ProcessorTime&) = delete;
  ~ProcessorTime() {
    const double seconds = static_cast<double>(std::clock() - begin_) / CLOCKS_PER_SEC;
    if (seconds <= 1.0) return;
    std::fprintf(stderr, "a slow input: %.1f s\n", seconds);
    std::abort();
  }

 private:
  std::clock_t begin_;
};

}  // namespace

bool accepts(const std::function<void()>& action) {
  const ProcessorTime time;
  try {
    action();
    return true;
  } catch (const qsim::InputError& error) {
    demand(!error.problems().empty(), "list is empty", "");
    for (const qsim::Problem& problem : error.problems()) {
      const std::string line = problem.to_string();
      const bool printable =
          std::none_of(line.begin(), line.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; });
      demand(printable, "with control characters", line);
      demand(!problem.file.empty(), "without a file", line);
      demand(!problem.expected.empty(), "that does not say what is right", line);
    }
    return false;
  }
}
