// How long compiling a network for a chip takes, in CPU seconds of one core: schedules, mappings and
// placement, no values.
//
// qsim_compile_bench [--rounds N] WORKLOAD [HARDWARE [PATH=VALUE ..]]
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <exception>
#include <limits>
#include <string>
#include <vector>

#include "base/error.h"
#include "sim/cli/shipped_files.h"
#include "sim/compiler/compile.h"
#include "sim/config/load_hardware.h"
#include "workloads/graph/graph_check.h"
#include "workloads/readers/load.h"

namespace {

using namespace qsim;

int run(std::vector<std::string> arguments) {
  int rounds = 3;
  if (arguments.size() > 1 && arguments[0] == "--rounds") {
    rounds = std::stoi(arguments[1]);
    arguments.erase(arguments.begin(), arguments.begin() + 2);
  }
  if (arguments.empty()) {
    std::fprintf(stderr, "usage: qsim_compile_bench [--rounds N] WORKLOAD [HARDWARE [PATH=VALUE ..]]\n");
    return 2;
  }
  const cli::ShippedFiles files = cli::find_shipped_files();
  const std::string chip = arguments.size() > 1 ? arguments[1] : "npu";
  const std::vector<std::string> sets(
      arguments.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(2, arguments.size())),
      arguments.end());
  const HardwareConfig hardware = load_hardware(chip, sets, files.hardware);
  Graph graph = load_workload(arguments[0], files.workloads);
  validate(graph);
  double least_seconds = std::numeric_limits<double>::max();
  CompileOutcome outcome;
  for (int round = 0; round < rounds; ++round) {
    const std::clock_t begin = std::clock();
    outcome = try_compile(graph, hardware, false);
    const double seconds = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
    least_seconds = std::min(least_seconds, seconds);
  }
  std::printf("%s on %s: %.4f s", arguments[0].c_str(), hardware.name.c_str(), least_seconds);
  if (outcome.program)
    std::printf(", %lld cycles estimated", static_cast<long long>(outcome.program->cost.cycles));
  else
    std::printf(", does not run");
  std::printf("\n");
  return 0;
}

}  // namespace

int main(int count, char** values) {
  try {
    return run({values + 1, values + count});
  } catch (const InputError& error) {
    std::fprintf(stderr, "%s\n", error.what());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
  }
  return 2;
}
