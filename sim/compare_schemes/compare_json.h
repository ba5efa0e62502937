// A comparison of schemes as JSON (configs/schemas/compare.schema.json) and as CSV.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "sim/compare_schemes/compare_schemes.h"

namespace qsim {

/// How the comparison was asked for. Nothing here names a host, a folder, a time or the number of processes.
struct CompareReportOptions {
  std::string version;
  std::string data;         ///< "cifar10:test_batch.bin"; empty: none.
  std::string preprocess;   ///< Base name of its file, or "none".
  std::string inputs;       ///< What outputs were computed for: CalibrationData::description, or the data.
  std::string calibration;  ///< Likewise of the ranges; empty: a network that is quantized already.
  std::string ranges = "minmax";
  std::string method;  ///< --method as it was written; empty without.
  std::int64_t limit = 0;
  std::string list;  ///< Base name of the file that names images; empty: none.
  std::int64_t label_offset = 0;
  std::string objective = "latency";
  std::vector<std::string> sets;
};

[[nodiscard]] nlohmann::ordered_json compare_json(const SchemeComparison& comparison,
                                                  const CompareReportOptions& options);

/// A line a row: hardware, workload, scheme, the figures of `rows[]` in its order with `energy_pj.*` and
/// `traffic_bytes.*` a column each, `top1` as percent, low and high, pareto, error. What a row lacks is
/// empty.
[[nodiscard]] std::string compare_csv(const SchemeComparison& comparison);

}  // namespace qsim
