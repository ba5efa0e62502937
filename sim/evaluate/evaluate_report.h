// What `qsim evaluate` prints and writes.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "sim/evaluate/evaluate.h"
#include "sim/report/summary.h"

namespace qsim {

/// How the evaluation was asked for. Nothing here names a host, a folder, a time or the number of processes.
struct EvaluateReportOptions {
  std::string version;
  std::string data;        ///< "cifar10:test_batch.bin"
  std::string preprocess;  ///< Base name of its file, or "none".
  std::int64_t limit = 0;
  std::string list;  ///< Base name of the file that names images; empty: none.
  std::int64_t label_offset = 0;
  std::optional<int> weight_bits;
  std::optional<int> activation_bits;
  std::string bits_file;
  std::string scheme;  ///< --scheme as typed, of a file its base name; empty without.
  std::vector<std::string> sets;
  std::string energy_table;
};

/// {`correct`, `percent`, `low`, `high`}
[[nodiscard]] nlohmann::ordered_json proportion_json(const Proportion& proportion);

/// `images` (that could be read), `failed`, `top1` and `top5` {`correct`, `percent`, `low`, `high`}, `totals`
/// of one inference and more (configs/schemas/evaluate.schema.json).
[[nodiscard]] nlohmann::ordered_json evaluate_json(const Evaluation& evaluation, const RunSummary& summary,
                                                   const EvaluateReportOptions& options);
/// A few lines for people.
[[nodiscard]] std::string evaluate_text(const Evaluation& evaluation, const RunSummary& summary,
                                        const EvaluateReportOptions& options);
/// A line an image: index,name,label,top1,top1_correct,top5,top5_correct,problem. `top5` has the best classes
/// separated by spaces; the two top5 cells are empty where the network has at most five classes.
[[nodiscard]] std::string predictions_csv(const Evaluation& evaluation);

}  // namespace qsim
