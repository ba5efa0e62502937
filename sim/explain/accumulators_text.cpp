#include "sim/explain/accumulators_text.h"

#include <fmt/format.h>

#include "sim/check/text_layout.h"

namespace qsim {
namespace {

constexpr std::size_t kLayerColumns = 26;
constexpr const char* kOfBlocks =
    "\nSums of blocks (MXINT8) are counted in steps that follow the width: inputs of magnitudes as in the "
    "calibration\nfit any width, and narrower accumulators round more of them. Exponents have no bound, so "
    "that "
    "no width is\nwide enough for any input.\n";

std::string rows_text(const AccumulatorAnalysis& analysis) {
  std::string text =
      fmt::format("{:<{}} {:>5} {:>12} {:>12} {:>5} {:>6} {:>8} {:>9}\n", "layer", kLayerColumns, "bits",
                  "smallest", "largest", "need", "worst", "any", "over-");
  text += fmt::format("{:<{}} {:>5} {:>12} {:>12} {:>5} {:>6} {:>8} {:>9}\n", "", kLayerColumns, "w x a",
                      "sum", "sum", "", "case", "weights", "flows");
  for (const AccumulatorRow& row : analysis.rows) {
    text +=
        fmt::format("{} {:>5} {:>12} {:>12} {:>5} {:>6} {:>8} {:>9}\n", to_columns(row.name, kLayerColumns),
                    fmt::format("{}x{}", row.weight_bits, row.activation_bits), row.seen.min, row.seen.max,
                    row.bits_used(), row.worst_case ? std::to_string(row.worst_case->bits()) : "-",
                    row.worst_case ? std::to_string(row.bits_any_weights) : "-", row.seen.overflows);
  }
  return text;
}

/// "12.3 % less" of what is configured.
std::string change(double now, double then) {
  if (then == 0 || now == then) return "the same";
  const double percent = 100.0 * (now - then) / then;
  return fmt::format("{:.1f} % {}", percent < 0 ? -percent : percent, percent < 0 ? "less" : "more");
}

}  // namespace

std::string accumulators_text(const AccumulatorAnalysis& analysis) {
  std::string text = fmt::format("{} on {}, accumulators of {} bits\n\n", analysis.workload,
                                 analysis.hardware, analysis.width_bits);
  if (analysis.rows.empty()) return text + "no layer uses the accumulators\n";
  text += rows_text(analysis);
  text += fmt::format("\n{:>5}  {:>12} {:>13} {:>13}  {}\n", "width", "cycles", "accumulators", "energy", "");
  const AccumulatorWidth& configured = analysis.widths.front();
  for (const AccumulatorWidth& width : analysis.widths) {
    text += fmt::format("{:>5}  {:>12} {:>10.3f} uJ {:>10.3f} uJ  {}", width.bits, width.cycles,
                        width.accumulators_pj * 1e-6, width.energy_total_pj * 1e-6, width.why);
    if (&width != &configured) {
      text +=
          fmt::format(": accumulators {}, all {}", change(width.accumulators_pj, configured.accumulators_pj),
                      change(width.energy_total_pj, configured.energy_total_pj));
    }
    if (width.block_sums > 0) {
      text += fmt::format("; {} of {} sums of blocks rounded", width.rounded_sums, width.block_sums);
    }
    text += "\n";
  }
  if (analysis.widths.front().block_sums > 0) text += kOfBlocks;
  return text;
}

nlohmann::ordered_json accumulators_json(const AccumulatorAnalysis& analysis, const std::string& version) {
  using Json = nlohmann::ordered_json;
  Json json;
  json["schema_version"] = 1;
  json["qsim"] = {{"version", version}};
  json["hardware"] = analysis.hardware;
  json["workload"] = analysis.workload;
  json["width_bits"] = analysis.width_bits;
  json["bits_used"] = analysis.bits_used;
  json["bits_worst_case"] = analysis.bits_worst_case;
  json["layers"] = Json::array();
  for (const AccumulatorRow& row : analysis.rows) {
    json["layers"].push_back({{"name", row.name},
                              {"op", row.op},
                              {"weight_bits", row.weight_bits},
                              {"activation_bits", row.activation_bits},
                              {"min", row.seen.min},
                              {"max", row.seen.max},
                              {"bits_used", row.bits_used()},
                              {"worst_min", nullptr},
                              {"worst_max", nullptr},
                              {"bits_worst_case", nullptr},
                              {"bits_any_weights", row.worst_case ? Json(row.bits_any_weights) : Json()},
                              {"overflows", row.seen.overflows}});
    Json& made = json["layers"].back();
    if (row.worst_case) {
      made["worst_min"] = row.worst_case->min;
      made["worst_max"] = row.worst_case->max;
      made["bits_worst_case"] = row.worst_case->bits();
    }
    if (row.rounded_sums) made["rounded_sums"] = *row.rounded_sums;
  }
  json["widths"] = Json::array();
  for (const AccumulatorWidth& width : analysis.widths) {
    json["widths"].push_back({{"width_bits", width.bits},
                              {"why", width.why},
                              {"cycles", width.cycles},
                              {"energy_total_pj", width.energy_total_pj},
                              {"accumulators_pj", width.accumulators_pj}});
    if (width.block_sums == 0) continue;
    json["widths"].back()["block_sums"] = width.block_sums;
    json["widths"].back()["rounded_sums"] = width.rounded_sums;
  }
  return json;
}

}  // namespace qsim
