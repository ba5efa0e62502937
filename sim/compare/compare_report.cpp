#include "sim/compare/compare_report.h"

#include <fmt/format.h>

#include <cmath>

#include "sim/report/text_report.h"

namespace qsim {
namespace {

using Json = nlohmann::ordered_json;

/// null for what JSON has no number for.
Json finite_or_null(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}

Json position_json(const Shape& shape, std::int64_t index) {
  if (index < 0) return nullptr;
  Json position = Json::array();
  for (std::size_t d = shape.size(); d-- > 0;) {
    position.insert(position.begin(), index % shape[d]);
    index /= shape[d];
  }
  return position;
}

Json or_null(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

Json tensor_json(const TensorComparison& tensor) {
  Json json = {{"name", tensor.name},
               {"verdict", verdict_name(tensor.verdict)},
               {"a", or_null(tensor.a)},
               {"b", or_null(tensor.b)},
               {"difference", nullptr}};
  if (!tensor.difference) return json;
  const TensorDifference& d = *tensor.difference;
  json["difference"] = {{"elements", d.elements},
                        {"different", d.different},
                        {"unequal", d.unequal},
                        {"largest", finite_or_null(d.largest)},
                        {"largest_real", tensor.scale ? finite_or_null(d.largest * *tensor.scale) : nullptr},
                        {"largest_at", position_json(tensor.shape, d.at)},
                        {"first_at", position_json(tensor.shape, d.first)}};
  return json;
}

Json explanation_json(const Explanation& explanation) {
  Json suspects = Json::array();
  for (const SuspectResult& suspect : explanation.suspects) {
    suspects.push_back(
        {{"name", suspect.name}, {"meaning", suspect.meaning}, {"unexplained", suspect.unexplained}});
  }
  return {{"node", explanation.node},
          {"op", explanation.op},
          {"place", explanation.place},
          {"tensor", explanation.tensor},
          {"elements", explanation.elements},
          {"different", explanation.different},
          {"assumed_inputs", explanation.assumed_inputs},
          {"obstacle", or_null(explanation.obstacle)},
          {"suspects", std::move(suspects)},
          {"verdict", or_null(explanation.verdict)}};
}

std::string shown_name(const TensorComparison& tensor) {
  constexpr std::size_t kNameWidth = 32;
  return tensor.name.empty() ? "(no name)" : shortened(tensor.name, kNameWidth);
}

std::string tensor_line(const TensorComparison& tensor) {
  if (!tensor.difference) {
    const bool in_a = !tensor.a.empty();
    const std::string what =
        tensor.a.empty() || tensor.b.empty()
            ? fmt::format("only in {} ({})", in_a ? "a" : "b", in_a ? tensor.a : tensor.b)
            : fmt::format("{} in a, {} in b", tensor.a, tensor.b);
    return fmt::format("{:<32}  {}\n", shown_name(tensor), what);
  }
  const TensorDifference& d = *tensor.difference;
  std::string line =
      fmt::format("{:<32} {:>10} {:>10} {:>11.6g} {:>11}  {}", shown_name(tensor), d.elements, d.different,
                  d.largest, tensor.scale ? fmt::format("{:.4g}", d.largest * *tensor.scale) : "",
                  d.at < 0 ? "" : position_text(tensor.shape, d.at));
  if (tensor.verdict == Verdict::other_type) line += fmt::format("  {} in a, {} in b", tensor.a, tensor.b);
  while (line.back() == ' ') line.pop_back();
  return line + "\n";
}

std::string explanation_text(const Explanation& explanation) {
  std::string text = fmt::format("\n{} ({}, {}): {} of {} values differ\n", explanation.node, explanation.op,
                                 explanation.place, explanation.different, explanation.elements);
  for (const std::string& name : explanation.assumed_inputs) {
    text +=
        fmt::format("its input {} is not in b and taken from a: what differs may come from before\n", name);
  }
  if (!explanation.obstacle.empty()) return text + "not explained: " + explanation.obstacle + "\n";
  const bool any_exact = !explanation.suspects.empty() && explanation.suspects.front().is_exact();
  text += any_exact ? "recomputed from its inputs, these give b exactly:\n"
                    : "recomputed from its inputs, nothing gives b exactly; unexplained values:\n";
  for (const SuspectResult& suspect : explanation.suspects) {
    if (any_exact && !suspect.is_exact()) break;
    text +=
        fmt::format("  {:<30} {:>10}  {}\n", suspect.name,
                    suspect.is_exact() ? "exactly" : std::to_string(suspect.unexplained), suspect.meaning);
  }
  if (!explanation.verdict.empty()) text += "verdict: " + explanation.verdict + "\n";
  return text;
}

}  // namespace

Json compare_json(const CompareReport& report) {
  Json tensors = Json::array();
  for (const TensorComparison& tensor : report.comparison.tensors) tensors.push_back(tensor_json(tensor));
  return {{"schema_version", 1},
          {"qsim", {{"version", report.version}}},
          {"a", report.a},
          {"b", report.b},
          {"tolerance", {{"steps", report.tolerance.steps}, {"relative", report.tolerance.relative}}},
          {"equal", report.comparison.failures == 0},
          {"compared", report.comparison.tensors.size()},
          {"failures", report.comparison.failures},
          {"first_difference",
           report.comparison.first_difference ? Json(*report.comparison.first_difference) : Json(nullptr)},
          {"first_layer", report.first_layer ? Json(*report.first_layer) : Json(nullptr)},
          {"tensors", std::move(tensors)},
          {"explanation", report.explanation ? explanation_json(*report.explanation) : Json(nullptr)}};
}

std::string compare_text(const CompareReport& report) {
  const Comparison& comparison = report.comparison;
  std::string text = fmt::format("a: {}\nb: {}\n", report.a, report.b);
  std::string lines;
  std::int64_t equal = 0, missing = 0;
  for (const TensorComparison& tensor : comparison.tensors) {
    const bool is_missing = tensor.a.empty() || tensor.b.empty();
    if (tensor.verdict == Verdict::equal) ++equal;
    if (is_missing) ++missing;
    const bool counts = tensor.fails(true, true) && (!is_missing || comparison.failures > 0);
    if (counts || tensor.verdict == Verdict::within_tolerance) lines += tensor_line(tensor);
  }
  text += fmt::format("{} tensors: {} equal, {} on one side only, {} failures\n", comparison.tensors.size(),
                      equal, missing, comparison.failures);
  if (!lines.empty()) {
    text += fmt::format("\n{:<32} {:>10} {:>10} {:>11} {:>11}  {}\n", "tensor", "elements", "different",
                        "largest", "real", "at");
    text += lines;
  }
  if (report.first_layer && !report.explanation)
    text += "\nfirst layer that differs: " + *report.first_layer + "\n";
  if (report.explanation) text += explanation_text(*report.explanation);
  return text;
}

}  // namespace qsim
