// What executing a problem takes, as the mapper estimates it before anything is placed.
#pragma once

#include <algorithm>
#include <cstdint>

#include "hw_models/hardware_config.h"

namespace qsim {

/// Bytes in whole bursts over a channel, in thousandths of a cycle.
class ChannelRate {
 public:
  ChannelRate() = default;
  ChannelRate(const HardwareConfig& hardware, std::int64_t bytes_per_second, std::int64_t latency_cycles);

  /// Cycles of the bus; of the window of outstanding requests, where that is more: outstanding * burst bytes
  /// take at least the latency and a burst.
  [[nodiscard]] std::int64_t cycles(std::int64_t bus_bytes) const;
  [[nodiscard]] std::int64_t latency_cycles() const { return latency_cycles_; }

 private:
  std::int64_t cycles_ = 0, bytes_ = 1;  ///< `cycles_` for `bytes_`.
  std::int64_t most_plain_bytes_ = 0;    ///< Whose product with cycles_ has 63 bits.
  std::int64_t latency_cycles_ = 0;
};

/// How long the chip's memory takes for bytes. All 0 without DRAM.
class MemoryRate {
 public:
  MemoryRate() = default;
  explicit MemoryRate(const HardwareConfig& hardware);

  [[nodiscard]] std::int64_t cycles(std::int64_t bus_bytes) const { return reads_.cycles(bus_bytes); }
  [[nodiscard]] std::int64_t latency_cycles() const { return reads_.latency_cycles(); }
  [[nodiscard]] std::int64_t setup_cycles() const { return setup_cycles_; }
  [[nodiscard]] std::int64_t burst_bytes() const { return burst_bytes_; }
  /// Of stores; where `writes_apart` they have a channel of their own.
  [[nodiscard]] const ChannelRate& writes() const { return writes_; }
  [[nodiscard]] bool writes_apart() const { return writes_apart_; }
  /// From the start of a transfer to its first data, and from its last byte to its use.
  [[nodiscard]] std::int64_t weight_start() const { return start_ + weight_ready_cycles_; }
  [[nodiscard]] std::int64_t input_start() const { return start_ + input_ready_cycles_; }
  /// Cycles of the bus where reads and writes meet, of the slower channel otherwise.
  [[nodiscard]] std::int64_t cycles(std::int64_t read_bytes, std::int64_t written_bytes) const {
    if (!writes_apart_) return cycles(read_bytes + written_bytes);
    return std::max(cycles(read_bytes), writes_.cycles(written_bytes));
  }

 private:
  ChannelRate reads_, writes_;
  bool writes_apart_ = false;
  std::int64_t setup_cycles_ = 0, burst_bytes_ = 1;
  std::int64_t start_ = 0, weight_ready_cycles_ = 0, input_ready_cycles_ = 0;
};

/// Contiguous pieces of a transfer.
struct Runs {
  std::int64_t bytes = 1;    ///< Of each.
  std::int64_t granule = 1;  ///< They begin at multiples of it.
};

/// `count` bytes in whole bursts, where runs begin at all multiples of the granule equally often. A run of r
/// bytes at offset a of a burst of b bytes takes ceil((a + r) / b) bursts.
[[nodiscard]] std::int64_t bus_bytes_of(std::int64_t count, const Runs& runs, std::int64_t burst_bytes);

/// One of the DMA's channels: its transfers follow one another, each after its setup.
struct ChannelTraffic {
  std::int64_t bytes = 0;      ///< Payload.
  std::int64_t bus_bytes = 0;  ///< In whole bursts: a short run wastes the rest of its burst.
  std::int64_t transfers = 0;
  std::int64_t turns = 0,
               slots = 0;          ///< Tiles that pass through that many slots; 0: nothing waits for a slot.
  std::int64_t request_bytes = 1;  ///< Of the longest; channels take turns request by request.
  std::int64_t pause_cycles = 0;   ///< Between its requests, whoever has the bus meanwhile.
  std::int64_t hold_cycles = 0;    ///< A slot is in use beyond the work on its tile: until outputs are made.

  /// Adds `count` bytes, `times` over.
  void add(std::int64_t count, const Runs& runs, std::int64_t burst_bytes, std::int64_t times = 1) {
    if (count == 0) return;
    bytes += times * count;
    bus_bytes += times * bus_bytes_of(count, runs, burst_bytes);
  }
};

/// Pauses of the input channel (DmaConfig::line_gap_cycles, upper_atom_gap_cycles) in `bytes` of tiles whose
/// rows have `row_pixels` pixels of `pixel_bytes`.
[[nodiscard]] std::int64_t input_pauses(const DmaConfig& dma, const MemoryRate& memory, std::int64_t bytes,
                                        std::int64_t pixel_bytes, std::int64_t row_pixels);

/// What occupies the units while a row runs. Everything overlaps but the beginning and the end:
///
///   cycles = max(first_cycles + busy_cycles + last_cycles,
///                turns of loads + last_cycles,  first_cycles + turns of stores,
///                memory_cycles + tail_cycles where the memory is used)
///
/// Where tiles pass through s slots, each slot is first filled, after setup and latency, then used and held
/// (or used first, and then stored), so that n turns of t cycles each, w of them work, take
///
///   ceil(n / s) t + ((n - 1) mod s) w        t = setup + latency + (cycles of the bytes + work_cycles) / n +
///   hold
struct RowCost {
  ChannelTraffic weights, inputs, stores;
  std::int64_t work_cycles = 0;   ///< Of the slowest unit: array, requantizer or vector unit.
  std::int64_t busy_cycles = 0;   ///< The same with what its steps wait for.
  std::int64_t first_cycles = 0;  ///< Until the first operands are there.
  std::int64_t last_cycles = 0;   ///< From the last result of that unit to its place.
  std::int64_t spill_cycles = 0;  ///< Among them, of ports with partial sums that leave and come back.
  std::int64_t tail_cycles = 0;   ///< What the last loads still lead to where the memory is the slowest.
};

/// When a row's weights pass the bus. They may come before the row begins, as far as there is room.
struct WeightLoads {
  std::int64_t memory_cycles = 0;  ///< Of all of them.
  std::int64_t ahead_cycles = 0;   ///< Of what may come before the row begins.
  std::int64_t beside_cycles = 0;  ///< Among them, beside the last weights of an earlier row.
  std::int64_t most_cycles = 0;    ///< Of the row, where nothing has come before it begins, ..
  std::int64_t least_cycles = 0;   ///< .. and where all has come that may.
  std::int64_t tail_cycles = 0;    ///< From the last load of weights in slots to the end of the row.
  bool stay = false;               ///< All may come ahead; otherwise what the slots take.
};

/// What the mapper minimizes.
struct MappingCost {
  std::int64_t dram_bytes = 0;     ///< Payload.
  std::int64_t memory_cycles = 0;  ///< Of the DRAM's bus, in whole bursts, and of starting transfers.
  std::int64_t cycles = 0;         ///< That the row takes.
  /// The same where all weights that stay have come before. Otherwise they come while it runs.
  std::int64_t loaded_cycles = 0;
  std::int64_t transfers = 0;
  std::int64_t spill_cycles = 0;  ///< RowCost.
  double energy_pj = 0.0;         ///< Of the row's events and cycles; 0 where energies are not known.
  WeightLoads weights;            ///< Of one row; sums have none.

  MappingCost() = default;
  MappingCost(const RowCost& row, const MemoryRate& memory);

  /// Cycles, and an eighth of those of the memory: of mappings that take about as long the one that moves
  /// less costs less energy, and leaves room on the bus to what comes next. Likewise a few cycles a transfer,
  /// which meets others at the port. A cycle of partial sums at a port of the buffer takes a fifth of the
  /// energy of one of the memory.
  static constexpr std::int64_t kCycle = 16;
  [[nodiscard]] std::int64_t total() const {
    return kCycle * cycles + 2 * memory_cycles + 64 * transfers + 2 * spill_cycles / 5;
  }
  /// Adds a load that nothing waits for before the memory has no time left.
  void add_beside(std::int64_t bytes, const MemoryRate& memory, double pj = 0.0) {
    dram_bytes += bytes;
    energy_pj += pj;
    memory_cycles += memory.cycles(bytes);
    cycles = std::max(cycles, memory_cycles);
  }
  MappingCost& operator+=(const MappingCost& other) {
    dram_bytes += other.dram_bytes;
    memory_cycles += other.memory_cycles;
    cycles += other.cycles;
    loaded_cycles += other.loaded_cycles;
    transfers += other.transfers;
    spill_cycles += other.spill_cycles;
    energy_pj += other.energy_pj;
    return *this;
  }
};

/// Rows one behind the other: while one runs, the bus has time for weights of the next ones.
class RowSequence {
 public:
  /// The cost of a row behind those that were added before.
  [[nodiscard]] MappingCost add(MappingCost row);

 private:
  /// Cycles of the bus that weights of coming rows may have had: while weights of the last row were in slots,
  /// and since then.
  std::int64_t beside_ = 0, after_ = 0;
};

}  // namespace qsim
