#include "sim/compiler/mapping_cost.h"

#include <boost/config.hpp>
#include <limits>
#include <numeric>

#include "hw_models/dataflow/cuts.h"

namespace qsim {

MemoryRate::MemoryRate(const HardwareConfig& hardware) {
  const DramConfig& dram = hardware.dram;
  if (dram.kind == DramKind::none) return;
  latency_cycles_ = dram.latency_cycles;
  setup_cycles_ = hardware.dma.setup_cycles;
  burst_bytes_ = dram.burst_bytes;
  // A thousandth of a cycle is fine enough for an estimate.
  constexpr std::int64_t kFine = 1000;
  const boost::int128_type clock_hz = boost::int128_type{hardware.clock_khz} * 1000;
  const auto burst_cycles =
      static_cast<std::int64_t>(kFine * clock_hz * burst_bytes_ / dram.bandwidth_bytes_per_second);
  const std::int64_t window = (kFine * latency_cycles_ + burst_cycles) / dram.outstanding_requests;
  cycles_ = std::max<std::int64_t>({1, burst_cycles, window});
  bytes_ = kFine * burst_bytes_;
  most_plain_bytes_ = (std::numeric_limits<std::int64_t>::max() - bytes_) / cycles_;
}

std::int64_t MemoryRate::cycles(std::int64_t bus_bytes) const {
  if (bus_bytes <= most_plain_bytes_) return (bus_bytes * cycles_ + bytes_ - 1) / bytes_;
  return static_cast<std::int64_t>((boost::int128_type{bus_bytes} * cycles_ + bytes_ - 1) / bytes_);
}

/// The product of two numbers below it has 63 bits.
constexpr std::int64_t kFewRuns = std::int64_t{1} << 31;

std::int64_t bus_bytes_of(std::int64_t count, const Runs& runs, std::int64_t burst_bytes) {
  const std::int64_t granule = std::gcd(runs.granule, burst_bytes);
  const std::int64_t offsets = burst_bytes / granule;
  // Each run takes ceil(r / b) bursts, and one more from those offsets on at which the rest of r, less than a
  // burst, does not fit into what is left of the first.
  const std::int64_t rest = (runs.bytes - 1) % burst_bytes + 1;
  const std::int64_t more = offsets - 1 - (burst_bytes - rest) / granule;
  const std::int64_t bursts = offsets * ceil_div(runs.bytes, burst_bytes) + more;
  // The last run may be shorter, and wastes as much.
  const std::int64_t waste = bursts * burst_bytes - offsets * runs.bytes;
  const std::int64_t number = ceil_div(count, std::max<std::int64_t>(1, runs.bytes));
  if (number < kFewRuns && waste < kFewRuns) return count + number * waste / offsets;
  return count + static_cast<std::int64_t>(boost::int128_type{number} * waste / offsets);
}

MappingCost::MappingCost(const RowCost& row, const MemoryRate& memory) : spill_cycles(row.spill_cycles) {
  std::int64_t slowest_channel = 0;
  std::int64_t bus_bytes = 0;
  std::int64_t busy_cycles = row.busy_cycles;
  for (const ChannelTraffic* channel : {&row.weights, &row.inputs, &row.stores}) {
    dram_bytes += channel->bytes;
    bus_bytes += channel->bus_bytes;
    transfers += channel->transfers;
    slowest_channel = std::max(
        slowest_channel, memory.cycles(channel->bus_bytes) + channel->transfers * memory.setup_cycles());
    if (channel->slots == 0) continue;
    const std::int64_t turns = channel->turns * (memory.setup_cycles() + memory.latency_cycles()) +
                               memory.cycles(channel->bus_bytes) + row.busy_cycles;
    busy_cycles = std::max(busy_cycles, turns / channel->slots);
  }
  memory_cycles = std::max(memory.cycles(bus_bytes), slowest_channel);
  cycles = std::max(row.first_cycles + busy_cycles + row.last_cycles, memory_cycles + row.tail_cycles);
}

}  // namespace qsim
