#include "sim/compare_schemes/compare_json.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "base/csv.h"
#include "sim/evaluate/evaluate_report.h"
#include "sim/report/json_blocks.h"

namespace qsim {
namespace {

using Json = nlohmann::ordered_json;

/// Keys of cost_json() before and behind what the outputs say.
constexpr std::array<const char*, 8> kCost = {"cycles",    "latency_s",       "energy_total_pj",
                                              "energy_pj", "traffic_bytes",   "dram_bytes",
                                              "area_mm2",  "accumulator_bits"};
constexpr std::array<const char*, 2> kShares = {"host_share", "model_bytes"};
constexpr std::array<const char*, 3> kDetails = {"cycles_breakdown", "layers", "notes"};

Json text_or_null(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

Json top_json(const std::optional<Accuracy>& accuracy, bool is_first) {
  if (!accuracy) return nullptr;
  if (is_first) return proportion_json(accuracy->top1);
  return accuracy->top5 ? proportion_json(*accuracy->top5) : Json(nullptr);
}

Json row_json(const ComparedRow& row, const std::string& workload) {
  Json json{{"hardware", row.hardware}, {"workload", workload}, {"scheme", row.scheme}};
  const auto add = [&](const auto& keys) {
    for (const char* key : keys) json[key] = row.runs() ? row.cost.at(key) : Json(nullptr);
  };
  add(kCost);
  json["sqnr_db"] = row.sqnr_db ? Json(*row.sqnr_db) : Json(nullptr);
  json["outputs_equal"] = row.runs() ? Json(!row.sqnr_db.has_value()) : Json(nullptr);
  json["top1"] = top_json(row.accuracy, true);
  json["top5"] = top_json(row.accuracy, false);
  json["agreement"] = row.agreement ? proportion_json(*row.agreement) : Json(nullptr);
  add(kShares);
  json["pareto"] = row.is_pareto;
  json["error"] = text_or_null(row.error);
  add(kDetails);
  if (row.cost.contains("features")) json["features"] = row.cost["features"];
  return json;
}

Json options_json(const CompareReportOptions& options) {
  return {{"data", text_or_null(options.data)},
          {"preprocess", options.preprocess},
          {"limit", options.limit > 0 ? Json(options.limit) : Json(nullptr)},
          {"list", text_or_null(options.list)},
          {"label_offset", options.label_offset},
          {"calibration", text_or_null(options.calibration)},
          {"ranges", options.ranges},
          {"method", text_or_null(options.method)},
          {"objective", options.objective},
          {"set", options.sets}};
}

/// Objects of figures as a column each: "energy_pj.dram".
void add_cells(const Json& value, const std::string& name, std::vector<std::string>& names,
               std::vector<std::string>& cells) {
  if (value.is_object()) {
    for (const auto& member : value.items())
      add_cells(member.value(), name + "." + member.key(), names, cells);
    return;
  }
  names.push_back(name);
  if (value.is_null()) {
    cells.emplace_back();
  } else {
    cells.push_back(csv_cell(value.is_string() ? value.get<std::string>() : value.dump()));
  }
}

/// The cells of a row that can run by the names of its columns; of one that cannot, those it has.
Json flat_row(const ComparedRow& row, const std::string& workload) {
  Json json = row_json(row, workload);
  for (const char* key : {"layers", "notes", "features", "cycles_breakdown", "outputs_equal", "top5"})
    json.erase(key);
  return json;
}

}  // namespace

Json compare_json(const SchemeComparison& comparison, const CompareReportOptions& options) {
  Json json;
  json["schema_version"] = 1;
  json["qsim"] = {{"version", options.version}};
  json["workload"] = {{"name", comparison.workload}, {"source", base_name(comparison.source)}};
  json["options"] = options_json(options);
  json["inputs"] = {{"count", comparison.inputs}, {"description", options.inputs}};
  json["failed"] = comparison.left_out.size();
  json["reference"] = {{"top1", top_json(comparison.reference, true)},
                       {"top5", top_json(comparison.reference, false)}};
  json["rows"] = Json::array();
  for (const ComparedRow& row : comparison.rows) json["rows"].push_back(row_json(row, comparison.workload));
  return json;
}

std::string compare_csv(const SchemeComparison& comparison) {
  // Columns are those of the first row that has all of them.
  const auto full = std::ranges::find_if(comparison.rows, &ComparedRow::runs);
  std::vector<std::string> columns;
  std::vector<std::string> unused;
  const ComparedRow none;
  add_cells(flat_row(full == comparison.rows.end() ? none : *full, comparison.workload), "", columns, unused);
  for (std::string& column : columns) column.erase(0, 1);
  std::string text = fmt::format("{}\n", fmt::join(columns, ","));
  for (const ComparedRow& row : comparison.rows) {
    std::vector<std::string> names;
    std::vector<std::string> cells;
    add_cells(flat_row(row, comparison.workload), "", names, cells);
    std::string line;
    for (std::size_t c = 0; c < columns.size(); ++c) {
      const auto at = std::ranges::find(names, "." + columns[c]);
      if (c > 0) line += ',';
      if (at != names.end()) line += cells[static_cast<std::size_t>(at - names.begin())];
    }
    text += line + "\n";
  }
  return text;
}

}  // namespace qsim
