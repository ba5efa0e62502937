#include "sim/evaluate/evaluate_report.h"

#include <fmt/format.h>

#include "base/csv.h"
#include "sim/report/json_blocks.h"
#include "sim/report/text_report.h"

namespace qsim {
namespace {

using Json = nlohmann::ordered_json;

Json options_json(const EvaluateReportOptions& options) {
  const auto or_null = [](const std::optional<int>& bits) { return bits ? Json(*bits) : Json(nullptr); };
  return {{"data", options.data},
          {"preprocess", options.preprocess},
          {"limit", options.limit > 0 ? Json(options.limit) : Json(nullptr)},
          {"list", options.list.empty() ? Json(nullptr) : Json(options.list)},
          {"label_offset", options.label_offset},
          {"weight_bits", or_null(options.weight_bits)},
          {"activation_bits", or_null(options.activation_bits)},
          {"bits", options.bits_file.empty() ? Json(nullptr) : Json(options.bits_file)},
          {"scheme", options.scheme.empty() ? Json(nullptr) : Json(options.scheme)},
          {"set", options.sets}};
}

Json failures_json(const Evaluation& evaluation) {
  Json json = Json::array();
  for (const Prediction& prediction : evaluation.predictions) {
    if (prediction.is_read()) continue;
    json.push_back({{"index", prediction.index}, {"name", prediction.name}});
  }
  return json;
}

Json accumulators_json(const RunResult& inference) {
  Json json = Json::array();
  for (const LayerResult& layer : inference.layers) {
    if (layer.accumulator_bits == 0) continue;
    Json row = {{"name", layer.name}, {"width_bits", layer.accumulator_bits}};
    row.update(accumulator_json(layer));
    json.push_back(std::move(row));
  }
  return json;
}

std::string proportion_line(const char* name, const Proportion& proportion) {
  return fmt::format("{:<13}{} of {} right, {:.2f} % (95 %: {:.2f} to {:.2f})\n", name, proportion.correct,
                     proportion.total, proportion.percent, proportion.low, proportion.high);
}

std::string overflow_line(const RunResult& inference) {
  std::int64_t overflows = 0;
  std::size_t layers = 0;
  for (const LayerResult& layer : inference.layers) {
    if (!layer.accumulator || layer.accumulator->overflows == 0) continue;
    overflows += layer.accumulator->overflows;
    ++layers;
  }
  if (overflows == 0) return "";
  return fmt::format("{:<13}{} overflows in the accumulators of {} layer{}\n", "overflows", overflows, layers,
                     layers == 1 ? "" : "s");
}

}  // namespace

Json proportion_json(const Proportion& proportion) {
  return {{"correct", proportion.correct},
          {"percent", proportion.percent},
          {"low", proportion.low},
          {"high", proportion.high}};
}

Json evaluate_json(const Evaluation& evaluation, const RunSummary& summary,
                   const EvaluateReportOptions& options) {
  const RunResult& inference = evaluation.inference;
  Json json;
  json["schema_version"] = 1;
  json["qsim"] = {{"version", options.version}};
  json["hardware"] = hardware_json(inference.hardware);
  json["workload"] = {{"name", inference.workload_name}, {"source", base_name(inference.workload_source)}};
  json["options"] = options_json(options);
  json["images"] = evaluation.top1.total;
  json["failed"] = evaluation.failed;
  json["classes"] = evaluation.classes;
  json["top1"] = proportion_json(evaluation.top1);
  json["top5"] = evaluation.top5 ? proportion_json(*evaluation.top5) : Json(nullptr);
  json["totals"] = totals_json(inference, summary);
  json["energy_pj"] = energy_json(summary.totals.energy_pj);
  json["traffic_bytes"] = traffic_json(summary.totals.traffic);
  json["accumulators"] = accumulators_json(inference);
  json["failures"] = failures_json(evaluation);
  json["provenance"] = {{"energy_table", options.energy_table},
                        {"folded_nodes", inference.folded_nodes},
                        {"notes", inference.notes}};
  return json;
}

std::string evaluate_text(const Evaluation& evaluation, const RunSummary& summary,
                          const EvaluateReportOptions& options) {
  const RunResult& inference = evaluation.inference;
  std::string text = fmt::format("{} on {}: {} images of {}\n\n", inference.workload_name,
                                 inference.hardware.name, evaluation.top1.total, options.data);
  text += proportion_line("top-1", evaluation.top1);
  if (evaluation.top5) text += proportion_line("top-5", *evaluation.top5);
  if (evaluation.failed > 0) {
    text += fmt::format("{:<13}{} image{} could not be read and {} left out\n", "failed", evaluation.failed,
                        evaluation.failed == 1 ? "" : "s", evaluation.failed == 1 ? "is" : "are");
  }
  text += overflow_line(inference);
  text += fmt::format("{:<13}{} ({} cycles), {}, {} of DRAM\n", "an inference",
                      with_prefix(summary.latency_s, "s"), inference.total_cycles,
                      with_prefix(summary.totals.energy_total_pj * 1e-12, "J"),
                      with_prefix(static_cast<double>(summary.dram_bytes), "B"));
  for (const std::string& note : inference.notes) text += "note: " + note + "\n";
  return text;
}

std::string predictions_csv(const Evaluation& evaluation) {
  const auto truth = [](bool right) { return right ? "1" : "0"; };
  std::string text = "index,name,label,top1,top1_correct,top5,top5_correct,problem\n";
  for (const Prediction& p : evaluation.predictions) {
    const bool has_top5 = evaluation.top5 && p.is_read();
    text += fmt::format("{},{},{},{},{},{},{},{}\n", p.index, csv_cell(p.name), p.label,
                        p.is_read() ? std::to_string(p.classes.front()) : "",
                        p.is_read() ? truth(p.is_right(1)) : "",
                        has_top5 ? fmt::format("{}", fmt::join(p.classes, " ")) : "",
                        has_top5 ? truth(p.is_right(kTopClasses)) : "", csv_cell(p.problem));
  }
  return text;
}

}  // namespace qsim
