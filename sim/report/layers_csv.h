// The rows of a report as comma-separated values (RFC 4180), one line a row and a header.
#pragma once

#include <string>

#include "sim/report/summary.h"
#include "sim/result.h"

namespace qsim {

/// Columns: name, op, nodes (joined by ';'), macs, cycles, span_cycles, mac_utilization, bound, the bits,
/// rounding_profile, energy_total_pj, then energy_pj.*, traffic_bytes.* and cycles.* as in the JSON report.
[[nodiscard]] std::string layers_csv(const RunResult& result, const RunSummary& summary);

}  // namespace qsim
