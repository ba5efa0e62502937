// What stays on the chip, where everything lies, and the tiling of every row.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "hw_models/hardware_config.h"
#include "sim/compiler/lower.h"
#include "sim/compiler/mapping.h"
#include "sim/compiler/schedule.h"
#include "sim/compiler/weight_plan.h"

namespace qsim {

struct GemmPlan {
  GemmMapping mapping;
  GemmPlacement placement;  ///< In buffers; no DRAM addresses.
};
struct VectorPlan {
  VectorMapping mapping;
  VectorPlacement placement;  ///< Likewise.
};
/// Decided for one nest; the host needs nothing of the chip.
using NestPlan = std::variant<GemmPlan, VectorPlan, HostMapping>;

struct MemoryPlan {
  WeightBufferPlan weights;
  std::vector<bool> resident;                ///< By storage: lies in the activation buffer while it lives.
  std::vector<std::int64_t> address;         ///< By storage: address there (resident ones).
  std::vector<std::vector<NestPlan>> nests;  ///< By row.
  MappingCost cost;                          ///< Sum over the rows.
};

/// Activations that a later row reads stay in the activation buffer where that lowers the cost of all rows
/// together; the rest passes through tile slots. Without DRAM everything stays. Nothing where the chip has
/// too little room: find_misfits() says of what.
[[nodiscard]] std::optional<MemoryPlan> make_plan(const Schedule& schedule,
                                                  const std::vector<LoweredRow>& lowered,
                                                  const HardwareConfig& hardware);

}  // namespace qsim
