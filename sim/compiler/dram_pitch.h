// How far apart the pixels of tensors lie in DRAM.
//
// Where tiles take part of a pixel's channels, each pixel is a run of its own; of 3616 channels every second
// one begins within a burst of 64 bytes, and touches a burst more than it fills. With pixels at multiples of
// a burst it does not, but whole pixels, which would lie one behind the other, leave gaps then.
#pragma once

#include <cstdint>
#include <vector>

#include "hw_models/hardware_config.h"
#include "sim/compiler/lower.h"
#include "sim/compiler/plan.h"
#include "sim/compiler/schedule.h"

namespace qsim {

/// By storage: what pixels begin at multiples of in DRAM, where the rows that move them touch fewer bursts
/// so; 0: they lie one behind the other. A function of the rows' mappings.
[[nodiscard]] std::vector<std::int64_t> dram_pitches(const Schedule& schedule,
                                                     const std::vector<LoweredRow>& lowered,
                                                     const MemoryPlan& plan, const HardwareConfig& hardware);

}  // namespace qsim
