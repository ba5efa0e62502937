// A run's energy over time, from its timeline.
#pragma once

#include <cstdint>

#include "sim/report/summary.h"

namespace qsim {

/// At most so many windows, as of the memory's bus.
inline constexpr std::int64_t kMostPowerWindows = 1024;

/// Power of the first inference in windows of equal length. What is spent in every cycle is spread over all
/// cycles; the rest of a row's energy over the intervals in which the unit that spends it was busy with the
/// row (of transfers by their bytes), or else from the row's first activity to its completion. The windows'
/// energies sum to the run's.
[[nodiscard]] PowerProfile power_profile(const RunResult& result, const RunSummary& summary);

}  // namespace qsim
