#include "sim/compiler/fused_plan.h"

#include <array>
#include <cstdint>
#include <utility>

#include "sim/compiler/chain_choice.h"

namespace qsim {

namespace {

/// The weights of chains take an eighth of the weight buffer at most, a quarter, a half.
constexpr std::array<std::int64_t, 3> kShares = {8, 4, 2};
/// An estimate that is higher by less than this part may be lower in the run.
constexpr std::int64_t kMayPay = 20;

std::vector<Chain> chains_of(const std::vector<ChainLayout>& layouts) {
  std::vector<Chain> chains;
  for (const ChainLayout& layout : layouts) chains.push_back(layout.chain);
  return chains;
}

}  // namespace

std::optional<MemoryPlan> make_fused_plan(const Schedule& schedule, const std::vector<LoweredRow>& lowered,
                                          const HardwareConfig& hardware, MappingMemo& mapper,
                                          const MemoryPlan& unfused) {
  std::optional<MemoryPlan> best;
  if (!may_fuse(hardware)) return best;
  const std::int64_t total = unfused.cost.total();
  std::vector<Chain> tried;
  for (const std::int64_t share : kShares) {
    std::vector<ChainLayout> chains = choose_chains({schedule, lowered, hardware, mapper}, unfused,
                                                    hardware.weight_buffer.capacity_bytes() / share);
    if (chains.empty() || chains_of(chains) == tried) continue;
    tried = chains_of(chains);
    std::optional<MemoryPlan> plan =
        make_plan(schedule, lowered, hardware, mapper, {}, std::move(chains)).plan;
    if (!plan || plan->cost.total() > total + total / kMayPay) continue;
    if (!best || plan->cost.total() < best->cost.total()) best = std::move(plan);
  }
  return best;
}

}  // namespace qsim
