#include "sim/compare_schemes/compare_page.h"

#include <algorithm>

#include "sim/compare_schemes/compare_text.h"
#include "sim/explain/charts.h"
#include "sim/explain/page.h"

namespace qsim {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kPicojoule = 1e-12;

class Page {
 public:
  Page(const SchemeComparison& comparison, const CompareReportOptions& options)
      : comparison_(comparison), options_(options) {
    for (const ComparedRow& row : comparison.rows) {
      if (std::ranges::find(machines_, row.hardware) == machines_.end()) machines_.push_back(row.hardware);
      if (row.runs()) rows_.push_back(&row);
    }
  }

  std::string write() {
    std::vector<PagePart> parts;
    if (!rows_.empty()) {
      parts.push_back({"Cost against loss", loss_text(), scatter(), ""});
      parts.push_back(
          {"Energy by component", "Of one inference.", stacked("energy", "J", "energy_pj", kPicojoule), ""});
      parts.push_back({"Cycles by cause", "What the critical resource did.",
                       stacked("cycles", "", "cycles_breakdown", 1.0), ""});
      parts.push_back({"Layer by layer", "Layers from left to right; the pointer shows their names.",
                       layers("energy of each layer", "J", "energy_total_pj", kPicojoule), ""});
      parts.push_back({"", "", layers("cycles of each layer", "", "cycles", 1.0), ""});
    }
    parts.push_back({"Table", "", "", compare_text(comparison_, options_)});
    return html_page("Quantization schemes: " + comparison_.workload + " on " + names(machines_), parts);
  }

 private:
  static std::string names(const std::vector<std::string>& machines) {
    std::string text;
    for (const std::string& machine : machines) text += (text.empty() ? "" : ", ") + machine;
    return text;
  }
  [[nodiscard]] std::string label_of(const ComparedRow& row) const {
    return machines_.size() > 1 ? row.hardware + " " + row.scheme : row.scheme;
  }
  [[nodiscard]] bool has_images() const { return comparison_.reference.has_value(); }

  [[nodiscard]] std::string loss_text() const {
    return has_images()
               ? "Each number is a scheme. The front is of energy, cycles and top-1; cycles are not in the "
                 "picture."
               : "Each number is a scheme; one whose outputs equal the reference's is not drawn. The front "
                 "is "
                 "of energy, cycles and SQNR; cycles are not in the picture.";
  }

  [[nodiscard]] std::string scatter() const {
    ScatterChart chart;
    chart.title = comparison_.workload;
    chart.x_label = "energy of an inference";
    chart.x_unit = "J";
    chart.y_label = has_images() ? "top-1, percent" : "SQNR of the outputs, dB";
    chart.groups = machines_;
    for (const ComparedRow* row : rows_) {
      if (!row->accuracy && !row->sqnr_db) continue;
      const auto group = std::ranges::find(machines_, row->hardware) - machines_.begin();
      chart.points.push_back({label_of(*row), static_cast<std::size_t>(group),
                              row->cost.at("energy_total_pj").get<double>() * kPicojoule,
                              row->accuracy ? row->accuracy->top1.percent : *row->sqnr_db, row->is_pareto});
    }
    return scatter_svg(chart);
  }

  /// An object of figures in each row.
  [[nodiscard]] std::string stacked(const char* title, const char* unit, const char* key,
                                    double scale) const {
    StackedChart chart{title, unit, {}, {}};
    for (const auto& member : rows_.front()->cost.at(key).items()) chart.series.push_back(member.key());
    for (const ComparedRow* row : rows_) {
      StackedBar bar{label_of(*row), {}, row->is_pareto};
      for (const std::string& series : chart.series)
        bar.parts.push_back(row->cost.at(key).at(series).get<double>() * scale);
      chart.bars.push_back(std::move(bar));
    }
    return stacked_bars_svg(chart);
  }

  [[nodiscard]] std::string layers(const char* title, const char* unit, const char* key, double scale) const {
    PanelChart chart{title, unit, {}};
    for (const ComparedRow* row : rows_) {
      BarPanel panel{label_of(*row), {}};
      for (const Json& layer : row->cost.at("layers"))
        panel.bars.push_back({layer.at("name").get<std::string>(), layer.at(key).get<double>() * scale});
      chart.panels.push_back(std::move(panel));
    }
    return bar_panels_svg(chart);
  }

  const SchemeComparison& comparison_;
  const CompareReportOptions& options_;
  std::vector<std::string> machines_;
  std::vector<const ComparedRow*> rows_;
};

}  // namespace

std::string compare_page(const SchemeComparison& comparison, const CompareReportOptions& options) {
  return Page(comparison, options).write();
}

}  // namespace qsim
