// Which rows run on the way out of the product before them.
#pragma once

#include <optional>
#include <vector>

#include "hw_models/hardware_config.h"
#include "sim/compiler/lower.h"
#include "sim/compiler/mapper.h"
#include "sim/compiler/mapping_memo.h"
#include "sim/compiler/plan.h"
#include "sim/compiler/plan_pins.h"
#include "sim/compiler/schedule.h"
#include "sim/compiler/way_out.h"
#include "workloads/graph/graph.h"

namespace qsim {

struct JoinedPlan {
  JoinedRows rows;
  PlanPins pins;
  MemoryPlan plan;
  std::vector<MemoryPlan> others;  ///< PlanOutcome.
  std::vector<MemoryPlan> fused;   ///< Other plans of the same rows, with chains, the cheapest first.

  /// Of the cheapest.
  [[nodiscard]] const MappingCost& cost() const {
    const bool is_cheaper = !fused.empty() && fused.front().cost.total() < plan.cost.total();
    return is_cheaper ? fused.front().cost : plan.cost;
  }
};

/// The cheapest plan of these: with no row on a way out, with all of `longest`, with all but the poolings,
/// and with what of these costs least of each. Where the estimates of plans with fewer rows on ways out are
/// close to the cheapest, they are simulated with it and the fastest is taken: so a way out does not make a
/// network slower. A row's `unit` decides where it is given: `requantizer` puts it, and those between it and
/// its product, on the way out, `vector_unit` leaves it and those behind it. Nothing where no choice has a
/// plan, or what is given is wrong for all: the rows as they were tell why, or `problems` where a row is
/// given a place on a way out.
[[nodiscard]] std::optional<JoinedPlan> plan_joined(const Graph& graph, const Schedule& schedule,
                                                    const std::vector<LoweredRow>& lowered,
                                                    const std::vector<WayOut>& longest,
                                                    const HardwareConfig& hardware, MappingMemo& mapper,
                                                    const std::vector<RowPin>& given,
                                                    std::vector<Problem>& problems);

}  // namespace qsim
