#include "sim/cli/trap_report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdio>
#include <string>

namespace qsim::cli {
namespace {

/// ", the first in channel 3 at [0, 5, 7]: 40000 after 2 of its chunks"
std::string first_of(const LayerResult& layer) {
  if (!layer.trap) return {};
  const arithmetic::OverflowPlace& place = *layer.trap;
  const std::string after = place.update == 0 ? "in the preload" : fmt::format("in update {}", place.update);
  return fmt::format(", the first in channel {} at [{}]: {} {}", place.channel,
                     fmt::join(place.position, ", "), place.value, after);
}

}  // namespace

int report_traps(const RunResult& result) {
  if (result.hardware.accumulators.overflow != arithmetic::Overflow::trap || result.trapped_overflows == 0)
    return 0;
  for (const LayerResult& layer : result.layers) {
    if (!layer.accumulator || layer.accumulator->overflows == 0) continue;
    std::fprintf(stderr,
                 "qsim: %s: %lld overflows of %d-bit accumulators%s; the sums need %d bits; raise "
                 "accumulators.width_bits\n",
                 layer.name.c_str(), static_cast<long long>(layer.accumulator->overflows),
                 layer.accumulator_bits, first_of(layer).c_str(),
                 arithmetic::signed_bits(layer.accumulator->min, layer.accumulator->max));
  }
  return 1;
}

}  // namespace qsim::cli
