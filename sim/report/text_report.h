// The report as a table for a terminal of 100 columns.
#pragma once

#include <string>

#include "sim/report/report_options.h"
#include "sim/report/summary.h"
#include "sim/result.h"

namespace qsim {

/// Rows, totals, energy by component, traffic, cycles by what they were spent on, accumulators that
/// overflowed.
[[nodiscard]] std::string text_report(const RunResult& result, const RunSummary& summary,
                                      const ReportOptions& options);

/// Three significant digits with a decimal prefix: "12.5 MB", "1.23 uJ"; `value` in `unit`.
[[nodiscard]] std::string with_prefix(double value, const std::string& unit);

/// `text` in at most `width` characters, the middle cut out: "block_1_ex..se/Relu6".
[[nodiscard]] std::string shortened(const std::string& text, std::size_t width);

}  // namespace qsim
