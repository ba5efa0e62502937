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

/// The cheapest plan of three: with no row on a way out, with all of `longest`, and with those of them that
/// cost less than their rows one by one. Where the estimates of the best with some and of that with none are
/// close, both are simulated and the faster is taken: so a way out does not make a network slower. A row's
/// `unit` decides where it is given: `requantizer` puts it, and
/// those between it and its product, on the way out, `vector_unit` leaves it and those behind it. Nothing
/// where no choice has a plan, or what is given is wrong for all: the rows as they were tell why.
[[nodiscard]] std::optional<JoinedPlan> plan_joined(const Graph& graph, const Schedule& schedule,
                                                    const std::vector<LoweredRow>& lowered,
                                                    const std::vector<WayOut>& longest,
                                                    const HardwareConfig& hardware, MappingMemo& mapper,
                                                    const std::vector<RowPin>& given);

}  // namespace qsim
