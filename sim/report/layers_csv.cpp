#include "sim/report/layers_csv.h"

#include <fmt/format.h>

#include <vector>

#include "base/csv.h"

namespace qsim {
namespace {

std::string joined(const std::vector<std::string>& words, const char* separator) {
  return fmt::format("{}", fmt::join(words, separator));
}

std::string header() {
  std::vector<std::string> columns = {"name",
                                      "op",
                                      "nodes",
                                      "macs",
                                      "cycles",
                                      "span_cycles",
                                      "mac_utilization",
                                      "bound",
                                      "limited_by",
                                      "weight_bits",
                                      "activation_bits",
                                      "accumulator_bits",
                                      "rounding_profile",
                                      "energy_total_pj"};
  for (std::size_t i = 0; i < kComponentCount; ++i) {
    columns.push_back(std::string("energy_pj.") + component_name(static_cast<Component>(i)));
  }
  for (std::size_t i = 0; i < kTrafficCount; ++i) {
    columns.push_back(std::string("traffic_bytes.") + traffic_name(static_cast<Traffic>(i)));
  }
  for (std::size_t i = 0; i < kCycleClassCount; ++i) {
    columns.push_back("cycles." + std::string(cycle_class_name(static_cast<CycleClass>(i))));
  }
  return joined(columns, ",") + "\n";
}

std::string bits_or_empty(int bits) {
  return bits > 0 ? std::to_string(bits) : "";
}

std::string line(const LayerResult& layer, const RowSummary& row) {
  std::vector<std::string> cells = {
      csv_cell(layer.name),
      layer.op,
      csv_cell(joined(layer.nodes, ";")),
      std::to_string(layer.macs),
      std::to_string(layer.cycles),
      std::to_string(layer.span_cycles),
      fmt::format("{}", row.mac_utilization),
      std::string(bound_name(layer.bound)),
      std::string(limit_name(row.limits.limited_by)),
      bits_or_empty(layer.weight_bits),
      bits_or_empty(layer.activation_bits),
      bits_or_empty(layer.accumulator_bits),
      layer.rounding_profile ? arithmetic::rounding_profile_name(*layer.rounding_profile) : "",
      fmt::format("{}", row.energy_total_pj)};
  for (const double pj : row.energy_pj) cells.push_back(fmt::format("{}", pj));
  for (const std::int64_t bytes : row.traffic) cells.push_back(std::to_string(bytes));
  for (const std::int64_t cycles : layer.cycles_breakdown) cells.push_back(std::to_string(cycles));
  return joined(cells, ",") + "\n";
}

}  // namespace

std::string layers_csv(const RunResult& result, const RunSummary& summary) {
  std::string text = header();
  for (std::size_t i = 0; i < result.layers.size(); ++i) text += line(result.layers[i], summary.rows[i]);
  return text;
}

}  // namespace qsim
