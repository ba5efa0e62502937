#include "sim/compiler/fused_plan.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <utility>

#include "sim/compiler/chain_choice.h"

namespace qsim {

namespace {

/// The weights of chains take an eighth of the weight buffer at most, a quarter, a half.
constexpr std::array<std::int64_t, 3> kShares = {8, 4, 2};
/// An estimate that is higher by less than this part may be lower in the run.
constexpr double kMayPay = 20.0;

/// Plans that are simulated.
constexpr std::size_t kMostPlans = 3;

}  // namespace

std::vector<MemoryPlan> make_fused_plans(const Schedule& schedule, const std::vector<LoweredRow>& lowered,
                                         const HardwareConfig& hardware, MappingMemo& mapper,
                                         const MemoryPlan& unfused) {
  std::vector<MemoryPlan> plans;
  if (!may_fuse(hardware)) return plans;
  std::vector<ChainSearch> searches;
  for (const std::int64_t share : kShares) {
    for (const std::int64_t memory_weight : {0, 1})
      searches.push_back({hardware.weight_buffer.capacity_bytes() / share, memory_weight});
  }
  const CostMeasure& measure = mapper.measure();
  const double cost = measure(unfused.cost);
  for (std::vector<ChainLayout>& chains :
       choose_chains({schedule, lowered, hardware, mapper}, unfused, searches)) {
    std::optional<MemoryPlan> plan =
        make_plan(schedule, lowered, hardware, mapper, {}, std::move(chains)).plan;
    if (plan && measure(plan->cost) <= cost + std::floor(cost / kMayPay)) plans.push_back(std::move(*plan));
  }
  std::ranges::stable_sort(plans, {}, [&](const MemoryPlan& plan) { return measure(plan.cost); });
  plans.erase(plans.begin() + static_cast<std::ptrdiff_t>(std::min(plans.size(), kMostPlans)), plans.end());
  return plans;
}

}  // namespace qsim
