// Cycles that a product occupies the array and the requantizer with, by its mapping.
#pragma once

#include <cstdint>

#include "hw_models/core/nest_cursor.h"
#include "hw_models/gemm.h"
#include "hw_models/hardware_config.h"

namespace qsim {

struct GemmCycles {
  std::int64_t array = 0;  ///< All passes, one behind the other.
  std::int64_t requantizer = 0;
  std::int64_t spilled = 0;  ///< Ports of the activation buffer with sums that leave; as long to come back.
  /// Each run of accumulators is filled and then read out, and there are one or two of them; without the
  /// draining of the last.
  std::int64_t accumulators = 0;
  /// Array: the passes of a full tile of pixels and a block, the first part and the last.
  std::int64_t first_step = 0, last_step = 0;
  std::int64_t start = 0;  ///< Until the first step, of a pass that has nothing before it.
  std::int64_t drain = 0;  ///< From the last step of a pass to its last output.
};

/// Ports as wide as they are, without the conflicts of banks. `cursor` is of problem and mapping.
[[nodiscard]] GemmCycles gemm_cycles(const GemmProblem& problem, const GemmMapping& mapping,
                                     const GemmCursor& cursor, const HardwareConfig& hardware);

}  // namespace qsim
