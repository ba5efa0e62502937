// What stays on the chip, where everything lies, and the mapping of every row.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "hw_models/hardware_config.h"
#include "sim/compiler/activation_map.h"
#include "sim/compiler/chain.h"
#include "sim/compiler/lower.h"
#include "sim/compiler/mapping_memo.h"
#include "sim/compiler/plan_pins.h"
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

/// Another way to execute a row of one nest.
struct RivalPlan {
  NestPlan nest;
  MappingCost cost;  ///< Of the row.
};

/// What a program took in simulation, without values.
struct SimulatedCost {
  std::int64_t cycles = 0;
  double energy_pj = 0.0;  ///< 0 where nobody asked.

  [[nodiscard]] double product() const { return static_cast<double>(cycles) * energy_pj; }
};

struct MemoryPlan {
  WeightBufferPlan weights;
  std::vector<Stay> stays;            ///< By storage.
  std::vector<std::int64_t> address;  ///< By storage: address in the activation buffer (what stays there).
  /// By row: the first bytes of the activation buffer, in which tile slots and what stays lie.
  std::vector<std::int64_t> activation_bytes;
  std::vector<std::vector<NestPlan>> nests;  ///< By row.
  std::vector<MappingCost> row_costs;        ///< By row.
  /// By row of one nest: what simulation may find better than the nest, in the same room.
  std::vector<std::vector<RivalPlan>> rivals;
  MappingCost cost;                 ///< Sum over the rows.
  std::vector<ChainLayout> chains;  ///< Rows that are executed in stripes, in order.
  /// Of the nests as they are, once somebody has simulated them (simulated_cost.h).
  std::optional<SimulatedCost> simulated;
};

/// Why what is given does not fit together.
struct PinMisfit {
  std::optional<std::size_t> row;  ///< Absent: the weights of all rows.
  std::string value;               ///< What is needed.
  std::string expected;            ///< What there is.
};

struct PlanOutcome {
  std::optional<MemoryPlan> plan;
  /// What is best in half of the activation buffer, a quarter, ..., and with fewer weights that stay.
  std::vector<MemoryPlan> others;
  std::optional<PinMisfit> misfit;  ///< Where there is no plan, and pins.
};

/// Activations that a later row reads stay in the activation buffer where that lowers the cost of all rows
/// together; the rest passes through tile slots. Rows of chains are executed in stripes, and what lies
/// between them stays. Without DRAM everything stays. What is pinned is as it is given. Nothing where the
/// chip has too little room: find_misfits() says of what.
[[nodiscard]] PlanOutcome make_plan(const Schedule& schedule, const std::vector<LoweredRow>& lowered,
                                    const HardwareConfig& hardware, MappingMemo& mapper,
                                    const PlanPins& pins = {}, std::vector<ChainLayout> chains = {});

}  // namespace qsim
