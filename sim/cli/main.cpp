// The program: arguments in, exit code out.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>

#include "sim/cli/list_command.h"
#include "sim/cli/options.h"
#include "sim/cli/output_files.h"
#include "sim/cli/run_command.h"
#include "sim/cli/shipped_files.h"
#include "workloads/error.h"

namespace {

constexpr int kBadInput = 2;
constexpr int kInternalError = 70;
constexpr int kInterrupted = 130;

extern "C" void end_interrupted(int /*signal*/) {
  std::_Exit(kInterrupted);
}

int run_command_line(int argc, const char* const* argv) {
  const qsim::cli::CommandLine line = qsim::cli::parse_command_line(argc, argv);
  switch (line.command) {
    case qsim::cli::Command::show_text:
      qsim::cli::write_standard_output(line.text);
      return 0;
    case qsim::cli::Command::list:
      qsim::cli::write_standard_output(qsim::cli::list_text(qsim::cli::find_shipped_files(), line.list_json));
      return 0;
    case qsim::cli::Command::run:
      return qsim::cli::run(line.run, qsim::cli::find_shipped_files());
  }
  return kInternalError;
}

}  // namespace

int main(int argc, char* argv[]) {
  std::signal(SIGINT, end_interrupted);
  // A closed pipe shows as a failed write, with a message, instead of killing the program.
  std::signal(SIGPIPE, SIG_IGN);
  // SystemC prints its banner with the first context otherwise.
  setenv("SYSTEMC_DISABLE_COPYRIGHT_MESSAGE", "1", 1);
  try {
    return run_command_line(argc, argv);
  } catch (const qsim::InputError& error) {
    for (const qsim::Problem& problem : error.problems()) {
      std::fprintf(stderr, "qsim: %s\n", problem.to_string().c_str());
    }
    return kBadInput;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "qsim: internal error: %s\n", error.what());
    return kInternalError;
  }
}
