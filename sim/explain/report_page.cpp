#include "sim/explain/report_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/error.h"
#include "base/json_reader.h"
#include "sim/check/text_layout.h"
#include "sim/explain/charts.h"
#include "sim/explain/memory_map_svg.h"
#include "sim/explain/page.h"
#include "sim/explain/roofline_svg.h"
#include "sim/explain/timeline_svg.h"
#include "sim/report/memory_map_json.h"
#include "sim/report/text_report.h"

namespace qsim {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kPicojoule = 1e-12;
constexpr double kMostFigure = 1e300;
constexpr std::int64_t kMostInteger = std::numeric_limits<std::int64_t>::max();
constexpr std::size_t kReportLayerColumns = 36;

/// A layer of a report, as far as the page shows it.
struct ReportLayer {
  std::string name;
  std::int64_t cycles = 0;
  double energy_pj = 0.0;
  std::int64_t dram_bytes = 0;
  std::string limited_by;
  std::vector<NamedValue> energy, causes;
};

struct ReportFigures {
  std::string hardware, workload;
  std::int64_t cycles = 0, dram_bytes = 0;
  double latency_s = 0.0, energy_pj = 0.0, power_w = 0.0, utilization = 0.0;
  std::vector<NamedValue> energy;
  std::vector<ReportLayer> layers;
};

/// The members of an object that are figures, in its order.
std::vector<NamedValue> figures_of(JsonObject& parent, const std::string& key, double scale) {
  std::vector<NamedValue> figures;
  JsonObject object = parent.object(key);
  for (const auto& member : object.json().items())
    figures.push_back({member.key(), object.number(member.key(), 0, kMostFigure) * scale});
  return figures;
}

std::int64_t dram_bytes_of(JsonObject& layer) {
  JsonObject traffic = layer.object("traffic_bytes");
  std::int64_t bytes = 0;
  for (std::size_t i = 0; i < kDramTrafficCount; ++i)
    bytes += traffic.integer(traffic_name(static_cast<Traffic>(i)), 0, kMostInteger);
  return bytes;
}

/// Each layer of the report as an object of its own.
template <typename Visit>
void for_each_layer(JsonObject& root, const Visit& visit) {
  const Json* layers = root.raw("layers");
  if (layers == nullptr || !layers->is_array()) {
    root.problem("layers", "the rows of a run", "write the report with qsim --report");
    return;
  }
  for (std::size_t i = 0; i < layers->size(); ++i) {
    JsonObject layer((*layers)[i], "layers[" + std::to_string(i) + "]", root.problems());
    visit(layer);
  }
}

void check_version(JsonObject& root) {
  constexpr std::int64_t kVersion = 2;
  if (root.integer("schema_version", 1, kVersion) != kVersion)
    root.problem("schema_version", "2, a report of this version of qsim", "run it again");
}

ReportFigures read_figures(const Json& report, const std::string& file) {
  ProblemList problems(file, "write the report with qsim --report");
  JsonObject root(report, "", problems);
  ReportFigures figures;
  check_version(root);
  figures.hardware = root.object("hardware").string("name");
  figures.workload = root.object("workload").string("name");
  JsonObject totals = root.object("totals");
  figures.cycles = totals.integer("cycles", 0, kMostInteger);
  figures.dram_bytes = totals.integer("dram_bytes", 0, kMostInteger);
  figures.latency_s = totals.number("latency_s", 0, kMostFigure);
  figures.energy_pj = totals.number("energy_total_pj", 0, kMostFigure);
  figures.power_w = totals.number("power_w", 0, kMostFigure);
  figures.utilization = totals.number("mac_utilization", 0, kMostFigure);
  figures.energy = figures_of(root, "energy_pj", kPicojoule);
  for_each_layer(root, [&](JsonObject& layer) {
    ReportLayer row;
    row.name = layer.string("name");
    row.cycles = layer.integer("cycles", 0, kMostInteger);
    row.energy_pj = layer.number("energy_total_pj", 0, kMostFigure);
    row.dram_bytes = dram_bytes_of(layer);
    row.limited_by = layer.string("limited_by");
    row.energy = figures_of(layer, "energy_pj", kPicojoule);
    row.causes = figures_of(layer, "cycles_breakdown", 1.0);
    figures.layers.push_back(std::move(row));
  });
  problems.throw_if_any();
  return figures;
}

RooflinePoint read_point(JsonObject& layer) {
  RooflinePoint point;
  point.name = layer.string("name");
  point.op = layer.string("op");
  JsonObject bits = layer.object("bits");
  const auto width = [&](const char* key) {
    const Json* value = bits.raw(key);
    return value == nullptr || value->is_null() ? 0 : static_cast<int>(bits.integer(key, 0, 64));
  };
  point.weight_bits = width("weights");
  point.activation_bits = width("activations");
  point.macs = layer.integer("macs", 0, kMostInteger);
  point.cycles = layer.integer("cycles", 0, kMostInteger);
  point.dram_bytes = dram_bytes_of(layer);
  point.peak_macs_per_cycle = layer.number("peak_macs_per_cycle", 0, kMostFigure);
  std::vector<std::string> names;
  for (const LimitRow& limit : kLimits) names.emplace_back(limit.name);
  point.limited_by = static_cast<Limit>(layer.choice("limited_by", names));
  return point;
}

/// A bar a layer: `series` are the members of the first layer's object.
std::string layer_bars(const ReportFigures& figures, const char* title, const char* unit,
                       std::vector<NamedValue> ReportLayer::*values) {
  StackedChart chart{title, unit, {}, {}};
  if (figures.layers.empty()) return {};
  for (const NamedValue& value : figures.layers.front().*values) chart.series.push_back(value.name);
  for (const ReportLayer& layer : figures.layers) {
    StackedBar bar{layer.name, std::vector<double>(chart.series.size()), false};
    for (const NamedValue& value : layer.*values) {
      const auto series = std::ranges::find(chart.series, value.name) - chart.series.begin();
      if (series < std::ssize(bar.parts)) bar.parts[static_cast<std::size_t>(series)] = value.value;
    }
    chart.bars.push_back(std::move(bar));
  }
  return stacked_bars_svg(chart);
}

std::string table_of(const ReportFigures& figures) {
  const auto joules = [](double pj) { return with_prefix(pj * kPicojoule, "J"); };
  std::string text = fmt::format(
      "latency  {} ({} cycles), {:.1f} % of the MACs at the peak\nenergy   {}, {} while it runs\nDRAM     "
      "{}\n\n",
      with_prefix(figures.latency_s, "s"), figures.cycles, 100.0 * figures.utilization,
      joules(figures.energy_pj), with_prefix(figures.power_w, "W"),
      with_prefix(static_cast<double>(figures.dram_bytes), "B"));
  text += fmt::format("{:<{}} {:>11} {:>9} {:>9}  {}\n", "layer", kReportLayerColumns, "cycles", "energy",
                      "DRAM", "limited by");
  for (const ReportLayer& layer : figures.layers) {
    text += fmt::format("{} {:>11} {:>9} {:>9}  {}\n", to_columns(layer.name, kReportLayerColumns),
                        layer.cycles, joules(layer.energy_pj),
                        with_prefix(static_cast<double>(layer.dram_bytes), "B"), layer.limited_by);
  }
  return text;
}

std::string energy_bar(const ReportFigures& figures) {
  StackedChart chart{"energy of the run", "J", {}, {{"all layers", {}, false}}};
  for (const NamedValue& value : figures.energy) {
    chart.series.push_back(value.name);
    chart.bars[0].parts.push_back(value.value);
  }
  return stacked_bars_svg(chart);
}

}  // namespace

Roofline roofline_of_report(const Json& report, const std::string& file) {
  constexpr double kGiga = 1e9;
  constexpr double kMega = 1e6;
  ProblemList problems(file, "write the report with qsim --report");
  JsonObject root(report, "", problems);
  Roofline roofline;
  JsonObject hardware = root.object("hardware");
  roofline.hardware = hardware.string("name");
  roofline.workload = root.object("workload").string("name");
  JsonObject dram = hardware.object("dram");
  if (dram.string("kind") != "none") {
    const double bytes = (dram.number("bandwidth_gb_per_s", 0, kMostFigure) +
                          dram.number("write_bandwidth_gb_per_s", 0, kMostFigure, 0.0)) *
                         kGiga;
    roofline.dram_bytes_per_cycle = bytes / (hardware.number("clock_mhz", 1e-6, kMostFigure) * kMega);
  }
  for_each_layer(root, [&](JsonObject& layer) {
    if (layer.integer("macs", 0, kMostInteger) > 0) add_point(roofline, read_point(layer));
  });
  problems.throw_if_any();
  sort_peaks(roofline);
  return roofline;
}

std::string report_page(const ReportFiles& files) {
  const ReportFigures figures = read_figures(files.report, files.file);
  const Roofline roofline = roofline_of_report(files.report, files.file);
  std::vector<PagePart> parts;
  parts.push_back({"Figures", "", energy_bar(figures), table_of(figures)});
  if (!roofline.points.empty()) {
    parts.push_back(
        {"Roofline", "A circle is a layer, its area the layer's cycles.", roofline_svg(roofline), ""});
  }
  parts.push_back({"Cycles by cause", "From each layer's predecessor to its own end.",
                   layer_bars(figures, "cycles", "", &ReportLayer::causes), ""});
  parts.push_back({"Energy by component", "", layer_bars(figures, "energy", "J", &ReportLayer::energy), ""});
  if (files.report.contains("memory_map")) {
    parts.push_back({"Memory map", "Rows from left to right, addresses from bottom to top.",
                     memory_map_svg(read_memory_map(files.report["memory_map"], files.file, "memory_map"),
                                    {figures.hardware, figures.workload}),
                     ""});
  }
  if (files.trace) {
    parts.push_back({"Timeline",
                     "What each unit did, from left to right; pale where it did so part of the time.",
                     timeline_svg(*files.trace, files.trace_file), ""});
  }
  return html_page(figures.workload + " on " + figures.hardware, parts);
}

}  // namespace qsim
