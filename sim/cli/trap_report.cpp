#include "sim/cli/trap_report.h"

#include <cstdio>

namespace qsim::cli {

int report_traps(const RunResult& result) {
  if (result.hardware.accumulators.overflow != arithmetic::Overflow::trap || result.trapped_overflows == 0)
    return 0;
  for (const LayerResult& layer : result.layers) {
    if (!layer.accumulator || layer.accumulator->overflows == 0) continue;
    std::fprintf(stderr,
                 "qsim: %s: %lld overflows of %d-bit accumulators; the sums need %d bits; raise "
                 "accumulators.width_bits\n",
                 layer.name.c_str(), static_cast<long long>(layer.accumulator->overflows),
                 layer.accumulator_bits,
                 arithmetic::signed_bits(layer.accumulator->min, layer.accumulator->max));
  }
  return 1;
}

}  // namespace qsim::cli
