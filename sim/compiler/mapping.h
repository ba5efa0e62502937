// Mappings with what they cost and what space they need, before anything is placed.
//
// The candidates do not depend on the buffers' capacities; the capacities only say which of them fit. So a
// larger buffer never raises what is minimized (MappingCost::total).
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "hw_models/gemm.h"
#include "hw_models/hardware_config.h"
#include "sim/compiler/energy_rates.h"
#include "sim/compiler/mapping_cost.h"
#include "sim/compiler/mapping_pin.h"

namespace qsim {

/// What every candidate has to fit, whatever the activation buffer. Candidates of more weights or parameters
/// a slot than these have no costs: nobody will choose them.
struct MappingLimits {
  std::int64_t weight_slot_bytes = 0;
  std::int64_t parameter_slot_bytes = 0;
  std::int64_t activation_slots = 2;  ///< Slots a streamed tensor gets ..
  std::int64_t output_slots = 2;      ///< .. and a streamed output of the MAC array.
  std::int64_t weight_slots = 2;
  MemoryRate memory;
  bool weights_ahead = false;           ///< An earlier row runs while the first weights load.
  bool loads_resident_weights = false;  ///< Weights that stay come from DRAM while the row runs.
  const EnergyRates* energies = nullptr;
};

/// Limits of a chip whose weight buffer has slots of these sizes.
[[nodiscard]] inline MappingLimits mapping_limits(const HardwareConfig& hardware,
                                                  std::int64_t weight_slot_bytes,
                                                  std::int64_t parameter_slot_bytes) {
  const std::int64_t slots = hardware.activation_buffer.double_buffered ? 2 : 1;
  return {weight_slot_bytes,
          parameter_slot_bytes,
          slots,
          hardware.requantizer.writes_through ? 2 : slots,
          hardware.weight_buffer.double_buffered ? 2 : 1,
          MemoryRate(hardware),
          false,
          false,
          nullptr};
}

/// Unit energies of a row, where they are known.
[[nodiscard]] inline std::optional<EventRates> rates_of(const MappingLimits& limits,
                                                        const RowPrecision& precision) {
  if (limits.energies == nullptr) return std::nullopt;
  return (*limits.energies)(precision);
}
[[nodiscard]] inline RowPrecision precision_of(const GemmProblem& problem, Dataflow dataflow) {
  return {problem.weight_format.bits, problem.activation_format.bits, problem.rounding_profile, dataflow};
}

/// Those of a product, whose MACs have rates of their own in each dataflow that the array offers.
class GemmRates {
 public:
  GemmRates(const MappingLimits& limits, const GemmProblem& problem, const HardwareConfig& hardware) {
    if (limits.energies == nullptr) return;
    for (const Dataflow dataflow : hardware.mac_array.offered_dataflows())
      rates_[dataflow] = (*limits.energies)(precision_of(problem, dataflow));
  }

  /// nullptr where they are not known.
  [[nodiscard]] const EventRates* of(const GemmMapping& mapping) const {
    const auto found = rates_.find(mapping.dataflow);
    return found == rates_.end() ? nullptr : &found->second;
  }

 private:
  std::map<Dataflow, EventRates> rates_;
};

/// The space that a candidate needs.
struct SpaceNeeded {
  std::int64_t weight_slot_bytes = 0;
  std::int64_t parameter_slot_bytes = 0;
  std::int64_t activation_bytes = 0;  ///< Contiguous, for tile slots.

  /// Fits wherever `other` does.
  [[nodiscard]] bool is_within(const SpaceNeeded& other) const {
    return weight_slot_bytes <= other.weight_slot_bytes &&
           parameter_slot_bytes <= other.parameter_slot_bytes && activation_bytes <= other.activation_bytes;
  }
};

/// Adds what a candidate needs to a list of which no entry is within another; false where one is within it.
inline bool add_needed(std::vector<SpaceNeeded>& list, const SpaceNeeded& needed) {
  if (std::ranges::any_of(list, [&](const SpaceNeeded& kept) { return kept.is_within(needed); }))
    return false;
  std::erase_if(list, [&](const SpaceNeeded& kept) { return needed.is_within(kept); });
  list.push_back(needed);
  return true;
}

/// Estimates that differ by less than this part are close.
constexpr std::int64_t kSure = 16;

/// One way to execute a problem.
template <typename MappingType>
struct MappingOption {
  MappingType mapping;
  MappingCost cost;
  SpaceNeeded needed;
  /// Candidates of one kind are alike in what estimates are least sure of; the best of each kind are worth a
  /// simulation.
  int kind = 0;
};

/// What a mapper has found, the better ones behind.
template <typename MappingType>
class MappingOptions {
 public:
  std::vector<MappingOption<MappingType>> options;
  /// The same of each kind of candidates by itself, and of all where more, or fewer, weights come ahead.
  std::vector<std::vector<MappingOption<MappingType>>> kinds;
  /// What the candidates need, whatever the limits: each entry less than all others in something. Some
  /// candidate fits into a space exactly where some entry does.
  std::vector<SpaceNeeded> needed;

  /// Of given values that leave no candidate, the one at fault.
  std::optional<PinRejection> rejection;

  /// The last option that fits into `space`; nullptr where none does.
  [[nodiscard]] const MappingOption<MappingType>* best(const SpaceNeeded& space) const {
    return best_of(options, space);
  }
  /// What simulation may find better than `chosen` in `space`: the best of each kind there and in parts of a
  /// buffer, the cheaper first, as far as their estimates are close.
  [[nodiscard]] std::vector<const MappingOption<MappingType>*> rivals(
      const MappingOption<MappingType>& chosen, const SpaceNeeded& space) const {
    std::vector<SpaceNeeded> rooms(1, space);
    for (const std::int64_t sixteenths : {12, 8, 4, 2, 1}) {
      rooms.push_back(
          {space.weight_slot_bytes, space.parameter_slot_bytes, space.activation_bytes * sixteenths / 16});
      rooms.push_back(
          {space.weight_slot_bytes * sixteenths / 16, space.parameter_slot_bytes, space.activation_bytes});
    }
    std::vector<const MappingOption<MappingType>*> found;
    for (const auto& kind : kinds) {
      for (const SpaceNeeded& room : rooms) {
        const auto* option = best_of(kind, room);
        const std::int64_t total = chosen.cost.total();
        // What is the best on a smaller chip is worth a simulation though it seems to take longer here.
        const std::int64_t close = (space.is_within(room) ? 1 : 4) * total / kSure;
        const bool may_be_better = option != nullptr && option->cost.total() < total + close;
        if (may_be_better && option->mapping != chosen.mapping && std::ranges::count(found, option) == 0)
          found.push_back(option);
      }
    }
    std::ranges::stable_sort(found, {}, [](const auto* option) { return option->cost.total(); });
    return found;
  }

 private:
  [[nodiscard]] static const MappingOption<MappingType>* best_of(
      const std::vector<MappingOption<MappingType>>& options, const SpaceNeeded& space) {
    for (auto option = options.rbegin(); option != options.rend(); ++option) {
      if (option->needed.is_within(space)) return &*option;
    }
    return nullptr;
  }
};

}  // namespace qsim
