// Prints the cycles of a shipped workload on the shipped chip `npu`.
// Usage: cycles_of SHARE_FOLDER WORKLOAD
#include <cstdio>
#include <string>

#include "sim/config/load_hardware.h"
#include "sim/simulate.h"
#include "workloads/error.h"
#include "workloads/load.h"

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: cycles_of SHARE_FOLDER WORKLOAD\n", stderr);
    return 2;
  }
  try {
    const std::string share = argv[1];
    const qsim::HardwareConfig hardware = qsim::load_hardware("npu", {}, {share + "/configs"});
    const qsim::Graph graph = qsim::load_workload(argv[2], {share + "/workloads/models"});
    qsim::SimulateOptions options;
    options.values = qsim::Values::none;
    const qsim::RunResult result = qsim::simulate(hardware, graph, {}, options);
    std::printf("%lld\n", static_cast<long long>(result.total_cycles));
  } catch (const qsim::InputError& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
  return 0;
}
