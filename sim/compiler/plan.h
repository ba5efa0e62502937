// What stays on the chip, where everything lies, and the tiling of every row.
#pragma once

#include <cstdint>
#include <vector>

#include "hw_models/hardware_config.h"
#include "sim/compiler/lower.h"
#include "sim/compiler/mapping.h"
#include "sim/compiler/schedule.h"

namespace qsim {

/// Layout of the weight buffer: all weights for good, or slots that loads cycle through.
struct WeightBufferPlan {
  bool resident = false;
  std::int64_t slots = 2;
  std::int64_t parameter_slot_bytes = 0;
  std::int64_t weight_slot_bytes = 0;
};

struct MemoryPlan {
  WeightBufferPlan weights;
  std::vector<bool> resident;            ///< By storage: lies in the activation buffer while it lives.
  std::vector<std::int64_t> address;     ///< By storage: address there (resident ones).
  std::vector<std::vector<Nest>> nests;  ///< By row: tiled, residency set, slots placed; no DRAM addresses.
  MappingCost cost;                      ///< Sum over the rows.
};

/// Activations that a later row reads stay in the activation buffer where that lowers the cost of all rows
/// together; the rest passes through tile slots. Without DRAM everything stays. InputError where a row
/// cannot run: which field to raise, and to what.
[[nodiscard]] MemoryPlan make_plan(const Graph& graph, const Schedule& schedule,
                                   const std::vector<LoweredRow>& lowered, const HardwareConfig& hardware);

}  // namespace qsim
