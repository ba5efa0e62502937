// What executing a problem takes, as the mapper estimates it before anything is placed.
#pragma once

#include <algorithm>
#include <cstdint>

#include "hw_models/hardware_config.h"

namespace qsim {

/// How long the chip's memory takes for bytes. All 0 without DRAM.
class MemoryRate {
 public:
  MemoryRate() = default;
  explicit MemoryRate(const HardwareConfig& hardware);

  /// Cycles of the bus for bytes in whole bursts; of the window of outstanding requests, where that is more:
  /// outstanding * burst bytes take at least the latency and a burst.
  [[nodiscard]] std::int64_t cycles(std::int64_t bus_bytes) const;
  [[nodiscard]] std::int64_t latency_cycles() const { return latency_cycles_; }
  [[nodiscard]] std::int64_t setup_cycles() const { return setup_cycles_; }
  [[nodiscard]] std::int64_t burst_bytes() const { return burst_bytes_; }

 private:
  std::int64_t cycles_ = 0, bytes_ = 1;  ///< `cycles_` for `bytes_`.
  std::int64_t most_plain_bytes_ = 0;    ///< Whose product with cycles_ has 63 bits.
  std::int64_t latency_cycles_ = 0, setup_cycles_ = 0, burst_bytes_ = 1;
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
               slots = 0;  ///< Tiles that pass through that many slots; 0: nothing waits for a slot.

  /// Adds `count` bytes, `times` over.
  void add(std::int64_t count, const Runs& runs, std::int64_t burst_bytes, std::int64_t times = 1) {
    if (count == 0) return;
    bytes += times * count;
    bus_bytes += times * bus_bytes_of(count, runs, burst_bytes);
  }
};

/// What occupies the units while a row runs. Everything overlaps but the beginning and the end:
///
///   cycles = max(first_cycles + busy_cycles + last_cycles,  memory_cycles + tail_cycles)
///
/// where tiles pass through s slots, each slot is first filled, after setup and latency, and then used (or
/// the other way round), so that n turns take at least
///
///   (n (setup + latency) + cycles of the bytes + busy_cycles) / s
struct RowCost {
  ChannelTraffic weights, inputs, stores;
  std::int64_t busy_cycles = 0;   ///< Of the slowest unit: array, requantizer or vector unit.
  std::int64_t first_cycles = 0;  ///< Until the first operands are there.
  std::int64_t last_cycles = 0;   ///< From the last result of that unit to its place.
  std::int64_t spill_cycles = 0;  ///< Among them, of ports with partial sums that leave and come back.
  std::int64_t tail_cycles = 0;   ///< What the last loads still lead to where the memory is the slowest.
};

/// What the mapper minimizes.
struct MappingCost {
  std::int64_t dram_bytes = 0;     ///< Payload.
  std::int64_t memory_cycles = 0;  ///< Of the DRAM's bus, in whole bursts, and of starting transfers.
  std::int64_t cycles = 0;         ///< That the row takes.
  std::int64_t transfers = 0;
  std::int64_t spill_cycles = 0;  ///< RowCost.
  double energy_pj = 0.0;         ///< Of the row's events and cycles; 0 where energies are not known.

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
    transfers += other.transfers;
    spill_cycles += other.spill_cycles;
    energy_pj += other.energy_pj;
    return *this;
  }
};

}  // namespace qsim
