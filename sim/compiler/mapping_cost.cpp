#include "sim/compiler/mapping_cost.h"

#include <boost/config.hpp>
#include <limits>
#include <numeric>

#include "hw_models/dataflow/cuts.h"

namespace qsim {

ChannelRate::ChannelRate(const HardwareConfig& hardware, std::int64_t bytes_per_second,
                         std::int64_t latency_cycles)
    : latency_cycles_(latency_cycles) {
  const DramConfig& dram = hardware.dram;
  // A thousandth of a cycle is fine enough for an estimate.
  constexpr std::int64_t kFine = 1000;
  const boost::int128_type clock_hz = boost::int128_type{hardware.clock_khz} * 1000;
  const auto burst_cycles = static_cast<std::int64_t>(kFine * clock_hz * dram.burst_bytes / bytes_per_second);
  const std::int64_t window = (kFine * latency_cycles + burst_cycles) / dram.outstanding_requests;
  cycles_ = std::max<std::int64_t>({1, burst_cycles, window});
  bytes_ = kFine * dram.burst_bytes;
  most_plain_bytes_ = (std::numeric_limits<std::int64_t>::max() - bytes_) / cycles_;
}

MemoryRate::MemoryRate(const HardwareConfig& hardware) {
  const DramConfig& dram = hardware.dram;
  if (dram.kind == DramKind::none) return;
  reads_ = {hardware, dram.bandwidth_bytes_per_second, dram.latency_cycles};
  writes_ = reads_;
  writes_apart_ = dram.write_bandwidth_bytes_per_second > 0;
  if (writes_apart_) writes_ = {hardware, dram.write_bandwidth_bytes_per_second, dram.write_latency_cycles};
  setup_cycles_ = hardware.dma.setup_cycles;
  burst_bytes_ = dram.burst_bytes;
  start_ = setup_cycles_ + dram.latency_cycles;
  weight_ready_cycles_ = hardware.dma.weight_ready_cycles;
  input_ready_cycles_ = hardware.dma.input_ready_cycles;
}

std::int64_t ChannelRate::cycles(std::int64_t bus_bytes) const {
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

std::int64_t input_pauses(const DmaConfig& dma, const MemoryRate& memory, std::int64_t bytes,
                          std::int64_t pixel_bytes, std::int64_t row_pixels) {
  if (dma.line_gap_cycles + dma.upper_atom_gap_cycles == 0 || pixel_bytes * row_pixels == 0) return 0;
  const std::int64_t busy = memory.cycles(dma.transaction_bytes);
  const auto longer = [busy](std::int64_t gap) { return std::max<std::int64_t>(0, gap + 1 - busy); };
  const std::int64_t atoms = ceil_div(pixel_bytes, dma.transaction_bytes);
  const std::int64_t upper = atoms / 4 * 2 + std::max<std::int64_t>(0, atoms % 4 - 2);
  const std::int64_t pixels = bytes / pixel_bytes;
  return ceil_div(pixels, row_pixels) * atoms * longer(dma.line_gap_cycles) +
         pixels / 2 * upper * longer(dma.upper_atom_gap_cycles);
}

MappingCost::MappingCost(const RowCost& row, const MemoryRate& memory) : spill_cycles(row.spill_cycles) {
  for (const ChannelTraffic* channel : {&row.weights, &row.inputs, &row.stores}) {
    dram_bytes += channel->bytes;
    transfers += channel->transfers;
  }
  const std::int64_t read_bytes = row.weights.bus_bytes + row.inputs.bus_bytes;
  memory_cycles = memory.cycles(read_bytes, row.stores.bus_bytes);
  // Of tiles with a single slot: while one is moved nothing is computed.
  const auto alone = [](const ChannelTraffic& channel) { return channel.slots == 1 ? channel.bus_bytes : 0; };
  const std::int64_t alone_cycles = memory.cycles(alone(row.weights) + alone(row.inputs), alone(row.stores));
  // How long a channel is at it, and what its turns take with the work on the tiles.
  const auto take = [&](const ChannelTraffic& channel, std::int64_t own, std::int64_t start) {
    memory_cycles =
        std::max(memory_cycles, own + channel.pause_cycles + channel.transfers * memory.setup_cycles());
    if (channel.slots == 0) return std::int64_t{0};
    const std::int64_t moved =
        (channel.slots == 1 ? std::max(own, alone_cycles) : own) + channel.pause_cycles;
    const std::int64_t turn = start + (moved + row.work_cycles) / channel.turns + channel.hold_cycles;
    return ceil_div(channel.turns, channel.slots) * turn +
           (channel.turns - 1) % channel.slots * (row.work_cycles / channel.turns);
  };
  const std::int64_t of_weights =
      take(row.weights, memory.cycles(row.weights.bus_bytes), memory.weight_start()) -
      row.weights.hold_cycles;
  const std::int64_t of_inputs = take(row.inputs, memory.cycles(row.inputs.bus_bytes), memory.input_start());
  const std::int64_t of_stores = take(row.stores, memory.writes().cycles(row.stores.bus_bytes),
                                      memory.setup_cycles() + memory.writes().latency_cycles());
  cycles = std::max({row.first_cycles + row.busy_cycles, of_weights, of_inputs}) + row.last_cycles;
  cycles = std::max(cycles, row.first_cycles + of_stores);
  if (memory_cycles > 0) cycles = std::max(cycles, memory_cycles + row.tail_cycles);
  loaded_cycles = cycles;
}

MappingCost RowSequence::add(MappingCost row) {
  const WeightLoads& loads = row.weights;
  const std::int64_t beside = std::min(beside_, loads.beside_cycles);
  const std::int64_t ahead = std::min(loads.ahead_cycles, beside + after_);
  if (loads.memory_cycles > 0) row.cycles = std::max(loads.least_cycles, loads.most_cycles - ahead);
  // What else passes the bus meanwhile.
  const std::int64_t others = std::max<std::int64_t>(0, row.memory_cycles - loads.memory_cycles);
  const std::int64_t free = std::max<std::int64_t>(0, row.cycles - others);
  if (loads.memory_cycles == 0) {
    after_ += free;
  } else if (loads.stay) {
    after_ = std::max<std::int64_t>(0, beside_ + after_ + free - loads.memory_cycles);
    beside_ = 0;
  } else {
    const std::int64_t tail = std::min(loads.tail_cycles, row.cycles);
    beside_ = std::max<std::int64_t>(0, tail - others * tail / std::max<std::int64_t>(1, row.cycles));
    after_ = 0;
  }
  return row;
}

}  // namespace qsim
