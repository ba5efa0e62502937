// How far a run's energy hangs on entries that nobody measured or published.
#pragma once

#include <string>

#include "sim/report/summary.h"

namespace qsim {

/// Of the terms whose entry is assumed or extrapolated, or a curve used beyond its ends.
[[nodiscard]] Uncertainty uncertainty_of(const EventCounts& events, const std::vector<EnergyTerm>& terms);

/// One line for people that names the entries with most of the energy; empty where there are none.
[[nodiscard]] std::string uncertainty_remark(const RunSummary& summary);

}  // namespace qsim
