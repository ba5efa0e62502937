// How large should the MAC array be? Runs a network on the chip `npu` with arrays of several sizes and prints
// cycles, utilization and energy of each.
// Usage: array_sizes WORKLOAD    (a file, or the name of a workload that ships)
#include <cstdio>
#include <string>

#include "base/error.h"
#include "sim/config/load_hardware.h"
#include "sim/energy/energy_model.h"
#include "sim/energy/energy_table.h"
#include "sim/report/summary.h"
#include "sim/simulate.h"
#include "workloads/readers/load.h"

namespace {

const std::string kConfigs = QSIM_SHARE_FOLDER "/configs";
const std::string kWorkloads = QSIM_SHARE_FOLDER "/workloads/models";

/// One row of the table: an array of size x size PEs, everything else as `npu` has it.
void print_row(const qsim::Graph& graph, int size) {
  const std::string text = std::to_string(size);
  const qsim::HardwareConfig hardware =
      qsim::load_hardware("npu", {"mac_array.rows=" + text, "mac_array.columns=" + text}, {kConfigs});
  const qsim::EnergyModel model(hardware, qsim::chip_energy_table(hardware, {kConfigs + "/energy"}, "npu"));

  qsim::SimulateOptions options;
  options.values = qsim::Values::none;  // cycles, energy and traffic do not depend on the values
  const qsim::RunResult result = qsim::simulate(hardware, graph, {}, options);
  const qsim::RunSummary summary = qsim::summarize(result, model, 1);
  std::printf("%7s %12lld %7.1f%% %12.2f\n", (text + "x" + text).c_str(),
              static_cast<long long>(result.total_cycles), 100 * summary.totals.mac_utilization,
              summary.totals.energy_total_pj * 1e-6);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: array_sizes WORKLOAD\n", stderr);
    return 2;
  }
  try {
    const qsim::Graph graph = qsim::load_workload(argv[1], {kWorkloads});
    std::printf("%7s %12s %8s %12s\n", "array", "cycles", "util", "energy (uJ)");
    for (const int size : {8, 16, 32, 64, 128}) print_row(graph, size);
  } catch (const qsim::InputError& error) {  // one line a problem: file, place, value, what was expected
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
  return 0;
}
