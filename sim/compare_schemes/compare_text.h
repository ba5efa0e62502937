// A comparison of schemes as a table for a terminal of 100 columns.
#pragma once

#include <string>

#include "sim/compare_schemes/compare_json.h"

namespace qsim {

/// A line a row, a star where it is on the Pareto front; what cannot run with its reason below; features
/// where they were asked for.
[[nodiscard]] std::string compare_text(const SchemeComparison& comparison,
                                       const CompareReportOptions& options);

}  // namespace qsim
