// The program: arguments in, exit code out.
#include <cstdio>
#include <exception>
#include <new>
#include <vector>

#include "base/error.h"
#include "sim/cli/command_list.h"
#include "sim/cli/output_files.h"
#include "sim/cli/parse_arguments.h"
#include "sim/cli/process_setup.h"
#include "sim/cli/shipped_files.h"

namespace {

constexpr int kBadInput = 2;
constexpr int kInternalError = 70;

int run_command_line(int argc, const char* const* argv) {
  qsim::cli::choose_kernels();
  const std::vector<qsim::cli::Command> commands = qsim::cli::all_commands();
  const qsim::cli::CommandLine line = qsim::cli::parse_command_line(commands, argc, argv);
  if (line.command == nullptr) {
    qsim::cli::write_standard_output(line.text);
    return 0;
  }
  const qsim::cli::ShippedFiles files = qsim::cli::find_shipped_files();
  qsim::cli::check_output_paths(line.outputs, qsim::cli::with_shipped_files(line.inputs, files));
  return line.command->run(line.options, files);
}

}  // namespace

int main(int argc, char* argv[]) {
  qsim::cli::set_up_process();
  try {
    return run_command_line(argc, argv);
  } catch (const qsim::InputError& error) {
    for (const std::string& line : error.lines()) std::fprintf(stderr, "qsim: %s\n", line.c_str());
    return kBadInput;
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr,
                 "qsim: memory: got too little of it, expected enough for this network and its values; "
                 "use a smaller batch, or --cost-only\n");
    return kBadInput;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "qsim: internal error: %s\n", error.what());
    return kInternalError;
  }
}
