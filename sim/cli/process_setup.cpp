#include "sim/cli/process_setup.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <initializer_list>

#include "base/error.h"
#include "hw_models/arithmetic/kernel_target.h"

namespace qsim::cli {
namespace {

/// Results are written in a way that ending at once leaves no half file (base/atomic_file.h).
extern "C" void end_at_signal(int signal) {
  std::_Exit(128 + signal);
}

void end_at(int signal) {
  struct sigaction present {};
  if (::sigaction(signal, nullptr, &present) != 0 || present.sa_handler == SIG_IGN) return;
  std::signal(signal, end_at_signal);
}

/// Open for the other direction: using the stream fails, as it would if it were closed.
void occupy_if_closed(int descriptor, int flags) {
  if (::fcntl(descriptor, F_GETFD) >= 0) return;
  // The lowest free number is this one: those below are open by now. It stays open until the program ends.
  static_cast<void>(::open("/dev/null", flags));
}

}  // namespace

void set_up_process() {
  occupy_if_closed(STDIN_FILENO, O_WRONLY);
  occupy_if_closed(STDOUT_FILENO, O_RDONLY);
  occupy_if_closed(STDERR_FILENO, O_RDONLY);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) end_at(signal);
  for (const int signal : {SIGPIPE, SIGXFSZ}) std::signal(signal, SIG_IGN);
  // SystemC prints its banner with the first context otherwise.
  ::setenv("SYSTEMC_DISABLE_COPYRIGHT_MESSAGE", "1", 1);
}

void choose_kernels() {
  const char* name = std::getenv("QSIM_KERNELS");
  if (name == nullptr || arithmetic::select_kernel_target(name)) return;
  throw InputError(Problem{"QSIM_KERNELS", "", fmt::format("\"{}\"", name),
                           fmt::format("{}", fmt::join(arithmetic::kernel_targets(), ", ")),
                           "unset it for the best of them"});
}

}  // namespace qsim::cli
