// A comparison of schemes as a page for a browser.
#pragma once

#include <string>

#include "sim/compare_schemes/compare_json.h"

namespace qsim {

/// Cost against loss with the Pareto front, energy by component, cycles by cause, energy and cycles by layer,
/// and the table: one HTML file without anything from elsewhere.
[[nodiscard]] std::string compare_page(const SchemeComparison& comparison,
                                       const CompareReportOptions& options);

}  // namespace qsim
