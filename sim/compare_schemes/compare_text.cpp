#include "sim/compare_schemes/compare_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/printable.h"
#include "sim/check/text_layout.h"
#include "sim/report/text_report.h"

namespace qsim {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kSchemeColumns = 34;
constexpr std::size_t kFeatureColumns = 27;

std::string joules(double pj) {
  return with_prefix(pj * 1e-12, "J");
}

std::string loss_text(const ComparedRow& row) {
  const std::string db = row.sqnr_db ? fmt::format("{:.1f} dB", *row.sqnr_db) : "equal";
  if (!row.accuracy) return fmt::format("{:>8}", db);
  const Proportion& top1 = row.accuracy->top1;
  return fmt::format("{:>8}  {:5.2f} ({:.1f}-{:.1f})", db, top1.percent, top1.low, top1.high);
}

std::string row_line(const ComparedRow& row) {
  const std::string scheme = to_columns(row.scheme, kSchemeColumns);
  if (!row.runs()) return fmt::format("  {}  cannot run\n", scheme);
  const Json& cost = row.cost;
  const Json& bits = cost.at("accumulator_bits");
  return fmt::format("{} {} {:>10} {:>8} {:>8} {:>4} {}\n", row.is_pareto ? "*" : " ", scheme,
                     cost.at("cycles").get<std::int64_t>(), joules(cost.at("energy_total_pj").get<double>()),
                     with_prefix(cost.at("model_bytes").get<double>(), "B"),
                     bits.is_null() ? "-" : std::to_string(bits.get<int>()), loss_text(row));
}

/// What the difference is to: settings of the chip, or another scheme.
std::string without_text(const Json& feature) {
  std::string sets;
  for (const Json& set : feature.at("set")) sets += (sets.empty() ? "" : " ") + set.get<std::string>();
  return sets.empty() ? feature.at("without").get<std::string>() : sets;
}

std::string feature_lines(const ComparedRow& row) {
  std::string text;
  for (const Json& feature : row.cost.at("features")) {
    const auto name = feature.at("feature").get<std::string>();
    if (!feature.at("error").is_null()) {
      text += fmt::format("  {:<{}} no run without it: {}\n", name, kFeatureColumns,
                          printable(feature.at("error").get<std::string>(), 60));
      continue;
    }
    const double total = row.cost.at("energy_total_pj").get<double>();
    const double pj = feature.at("energy_total_pj").get<double>();
    text += fmt::format("  {:<{}} {:>+10} {:>+12.1f} {:>+7.2f}% {:>+10}  ", name, kFeatureColumns,
                        feature.at("cycles").get<std::int64_t>(), pj * 1e-3,
                        total > 0 ? 100.0 * pj / total : 0.0, feature.at("dram_bytes").get<std::int64_t>());
    text += without_text(feature) + "\n";
  }
  return text;
}

std::string features_text(const SchemeComparison& comparison) {
  std::string text;
  for (const ComparedRow& row : comparison.rows) {
    if (!row.cost.contains("features")) continue;
    text += fmt::format("\n{} on {}\n  {:<{}} {:>10} {:>12} {:>8} {:>10}  {}\n", printable(row.scheme),
                        row.hardware, "costs, against without", kFeatureColumns, "cycles", "energy nJ", "",
                        "DRAM bytes", "without");
    text += feature_lines(row);
  }
  return text;
}

std::string reference_line(const SchemeComparison& comparison) {
  if (!comparison.reference) return {};
  const Proportion& top1 = comparison.reference->top1;
  return fmt::format("the reference is right in {:.2f} % ({:.1f}-{:.1f})\n", top1.percent, top1.low,
                     top1.high);
}

}  // namespace

std::string compare_text(const SchemeComparison& comparison, const CompareReportOptions& options) {
  const std::string inputs =
      options.data.empty() ? options.inputs : fmt::format("{} images of {}", comparison.inputs, options.data);
  std::string text = fmt::format("{}: outputs for {}\n{}", printable(comparison.workload), printable(inputs),
                                 reference_line(comparison));
  std::string machine;
  for (const ComparedRow& row : comparison.rows) {
    if (row.hardware != machine || &row == &comparison.rows.front()) {
      machine = row.hardware;
      text += fmt::format("\n  {:<{}} {:>10} {:>8} {:>8} {:>4} {:>8}{}\n", "on " + printable(machine),
                          kSchemeColumns, "cycles", "energy", "model", "sums", "SQNR",
                          row.accuracy || comparison.reference ? "  top-1 %" : "");
    }
    text += row_line(row);
  }
  const auto cannot_run = [](const ComparedRow& row) { return !row.runs(); };
  if (std::ranges::any_of(comparison.rows, cannot_run)) text += "\n";
  for (const ComparedRow& row : comparison.rows) {
    if (!row.runs()) text += fmt::format("{} on {}: {}\n", printable(row.scheme), row.hardware, row.error);
  }
  text += features_text(comparison);
  return text + "\n* on the Pareto front of energy, cycles and " + (comparison.reference ? "top-1" : "SQNR") +
         "\n";
}

}  // namespace qsim
