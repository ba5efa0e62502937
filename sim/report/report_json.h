// The report as JSON, schema_version 2 (configs/schemas/report.schema.json; docs/report.md).
#pragma once

#include <nlohmann/json.hpp>

#include "sim/report/report_options.h"
#include "sim/report/summary.h"
#include "sim/result.h"

namespace qsim {

/// Identical runs give identical bytes under dump().
[[nodiscard]] nlohmann::ordered_json report_json(const RunResult& result, const RunSummary& summary,
                                                 const ReportOptions& options);

}  // namespace qsim
