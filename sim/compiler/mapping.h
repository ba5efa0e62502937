// What mappings cost and what space they need, before anything is placed.
//
// The candidates do not depend on the buffers' capacities; the capacities only say which of them fit. So a
// larger buffer never raises what is minimized (MappingCost::total).
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "hw_models/hardware_config.h"
#include "sim/compiler/mapping_pin.h"

namespace qsim {

/// Bytes that the mapper reckons to move in a cycle, and cycles that it reckons for starting a transfer.
/// Fixed numbers and not the chip's bandwidth and latency, so that the mapping stays the same when only the
/// memory's speed changes.
inline constexpr std::int64_t kNominalBytesPerCycle = 16;
inline constexpr std::int64_t kNominalTransferCycles = 16;

/// What the mapper minimizes: the cycles that the array is occupied, plus those that the DRAM traffic would
/// take at the nominal rate in whole bursts, plus those of the first load and the last store, which nothing
/// can hide (with one slot: of all loads of inputs), plus what starting the transfers takes.
struct MappingCost {
  std::int64_t dram_bytes = 0;       ///< Payload.
  std::int64_t bus_bytes = 0;        ///< In whole bursts: a short run wastes the rest of its burst.
  std::int64_t occupied_cycles = 0;  ///< Array or vector unit, no waiting.
  std::int64_t exposed_bytes = 0;    ///< First input tile, first weights, last output tile.
  std::int64_t transfers = 0;

  [[nodiscard]] std::int64_t total() const {
    return occupied_cycles + (bus_bytes + exposed_bytes) / kNominalBytesPerCycle +
           transfers * kNominalTransferCycles;
  }
  /// Adds traffic of `bytes` in contiguous runs of `run_bytes`.
  void add_traffic(std::int64_t bytes, std::int64_t run_bytes, std::int64_t burst_bytes) {
    const std::int64_t runs = (bytes + run_bytes - 1) / std::max<std::int64_t>(1, run_bytes);
    dram_bytes += bytes;
    bus_bytes += runs * ((run_bytes + burst_bytes - 1) / burst_bytes) * burst_bytes;
  }
  MappingCost& operator+=(const MappingCost& other) {
    dram_bytes += other.dram_bytes;
    bus_bytes += other.bus_bytes;
    occupied_cycles += other.occupied_cycles;
    exposed_bytes += other.exposed_bytes;
    transfers += other.transfers;
    return *this;
  }
};

/// What every candidate has to fit, whatever the activation buffer.
struct MappingLimits {
  std::int64_t weight_slot_bytes = 0;
  std::int64_t parameter_slot_bytes = 0;
  std::int64_t activation_slots = 2;  ///< Slots a streamed tensor gets ..
  std::int64_t output_slots = 2;      ///< .. and a streamed output of the MAC array.
  std::int64_t burst_bytes = 64;      ///< Of the DRAM.
};

/// Limits of a chip whose weight buffer has slots of these sizes.
[[nodiscard]] inline MappingLimits mapping_limits(const HardwareConfig& hardware,
                                                  std::int64_t weight_slot_bytes,
                                                  std::int64_t parameter_slot_bytes) {
  const std::int64_t slots = hardware.activation_buffer.double_buffered ? 2 : 1;
  return {weight_slot_bytes, parameter_slot_bytes, slots, hardware.requantizer.writes_through ? 2 : slots,
          hardware.dram.burst_bytes};
}

/// The space that a candidate needs.
struct SpaceNeeded {
  std::int64_t weight_slot_bytes = 0;
  std::int64_t parameter_slot_bytes = 0;
  std::int64_t activation_bytes = 0;

  /// Fits wherever `other` does.
  [[nodiscard]] bool is_within(const SpaceNeeded& other) const {
    return weight_slot_bytes <= other.weight_slot_bytes &&
           parameter_slot_bytes <= other.parameter_slot_bytes && activation_bytes <= other.activation_bytes;
  }
};

/// Adds what a candidate needs to a list of which no entry is within another.
inline void add_needed(std::vector<SpaceNeeded>& list, const SpaceNeeded& needed) {
  if (std::ranges::any_of(list, [&](const SpaceNeeded& kept) { return kept.is_within(needed); })) return;
  std::erase_if(list, [&](const SpaceNeeded& kept) { return needed.is_within(kept); });
  list.push_back(needed);
}

/// One way to execute a problem.
template <typename MappingType>
struct MappingOption {
  MappingType mapping;
  MappingCost cost;
  std::int64_t activation_bytes = 0;  ///< Contiguous bytes of the activation buffer for its tile slots.
};

/// What a mapper has found, the better ones behind.
template <typename MappingType>
struct MappingOptions {
  std::vector<MappingOption<MappingType>> options;
  /// What the candidates need, whatever the limits: each entry less than all others in something. Some
  /// candidate fits into a space exactly where some entry does.
  std::vector<SpaceNeeded> needed;

  /// Of given values that leave no candidate, the one at fault.
  std::optional<PinRejection> rejection;

  /// The last option that fits into `activation_bytes`; nullptr where none does.
  [[nodiscard]] const MappingOption<MappingType>* best(std::int64_t activation_bytes) const {
    const MappingOption<MappingType>* found = nullptr;
    for (const auto& option : options) {
      if (option.activation_bytes <= activation_bytes) found = &option;
    }
    return found;
  }
};

}  // namespace qsim
