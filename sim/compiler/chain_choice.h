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

/// The chains that cost least together with the rows between them, which cost what they do in `unfused`; none
/// where that is nothing less. Tensors that chains share with other rows are where they are there. The
/// weights of all chains take `weight_bytes` at most.
[[nodiscard]] std::vector<ChainLayout> choose_chains(const ChainContext& context, const MemoryPlan& unfused,
                                                     std::int64_t weight_bytes);

}  // namespace qsim
