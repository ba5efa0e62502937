// Which rows are executed together.
#pragma once

#include <cstdint>
#include <vector>

#include "hw_models/hardware_config.h"
#include "sim/compiler/chain.h"
#include "sim/compiler/mapping_memo.h"
#include "sim/compiler/plan.h"

namespace qsim {

/// The machine executes rows in stripes. Where weights come through a ring, outputs leave run by run, the DMA
/// keeps a fixed order or passes are of full length first it does not.
[[nodiscard]] bool may_fuse(const HardwareConfig& hardware);

struct ChainContext {
  const Schedule& schedule;
  const std::vector<LoweredRow>& lowered;
  const HardwareConfig& hardware;
  MappingMemo& mapper;
};

/// What chains are looked for.
struct ChainSearch {
  std::int64_t weight_bytes = 0;  ///< The weights of all chains take as much at most.
  /// Cycles that a cycle of the memory's bus costs beside what the rows take: the more, the more chains keep
  /// on the chip, and the less of that has to be hidden for the estimate to come true.
  std::int64_t memory_weight = 0;
};

/// For each search the chains that cost least together with the rows between them, which cost what they do in
/// `unfused`; none where that is nothing less, and those of several searches once. Tensors that chains share
/// with other rows are where they are there.
[[nodiscard]] std::vector<std::vector<ChainLayout>> choose_chains(const ChainContext& context,
                                                                  const MemoryPlan& unfused,
                                                                  const std::vector<ChainSearch>& searches);

}  // namespace qsim
