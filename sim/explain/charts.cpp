#include "sim/explain/charts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "sim/explain/svg_picture.h"
#include "sim/explain/xml_text.h"
#include "sim/report/text_report.h"

namespace qsim {
namespace {

constexpr double kChartWidth = 1000;
constexpr double kTitleHeight = 46;
constexpr double kChartLeft = 290, kBarsRight = 880;

constexpr std::array<const char*, 14> kChartColors{"#332288", "#88ccee", "#44aa99", "#117733", "#999933",
                                                   "#ddcc77", "#cc6677", "#882255", "#aa4499", "#888888",
                                                   "#6699cc", "#661100", "#dddddd", "#000000"};

std::string rectangle(double x, double y, double width, double height, const char* color,
                      const std::string& title) {
  return fmt::format(
      "<rect x=\"{:.2f}\" y=\"{:.2f}\" width=\"{:.2f}\" height=\"{:.2f}\" "
      "fill=\"{}\"><title>{}</title></rect>\n",
      x, y, width, height, color, xml_text(title));
}

double total_of(const StackedBar& bar) {
  return std::accumulate(bar.parts.begin(), bar.parts.end(), 0.0);
}

/// Squares with names, in lines from left to right.
class Legend {
 public:
  Legend(SvgPicture& svg, double left, double top) : svg_(svg), left_(left), x_(left), y_(top) {}

  void add(const std::string& name, const char* color) {
    constexpr double kSquare = 12;
    constexpr double kLetter = 7.5;
    const double width = kSquare + 24 + kLetter * static_cast<double>(name.size());
    if (x_ + width > kChartWidth && x_ > left_) {
      x_ = left_;
      y_ += 18;
    }
    svg_.add(rectangle(x_, y_ - 10, kSquare, kSquare, color, name));
    svg_.label(x_ + kSquare + 6, y_, "start", name);
    x_ += width;
  }

 private:
  SvgPicture& svg_;
  double left_, x_, y_;
};

}  // namespace

const char* chart_color(std::size_t index) {
  return kChartColors[index % kChartColors.size()];
}

std::vector<double> axis_ticks(double low, double high) {
  const double span = high > low ? high - low : 1.0;
  double step = std::pow(10.0, std::floor(std::log10(span)));
  constexpr double kMostSteps = 7;
  for (const double factor : {0.2, 0.5, 1.0, 2.0}) {
    if (span / (step * factor) > kMostSteps) continue;
    step *= factor;
    break;
  }
  std::vector<double> ticks;
  for (double k = std::ceil(low / step - 1e-9); k * step <= high + step * 1e-9; ++k)
    ticks.push_back(k * step);
  return ticks;
}

std::string stacked_bars_svg(const StackedChart& chart) {
  constexpr double kBarHeight = 20, kBarStep = 26, kLegendHeight = 64;
  const double bars_height = kBarStep * static_cast<double>(chart.bars.size());
  SvgPicture svg(kChartWidth, kTitleHeight + bars_height + kLegendHeight);
  svg.label(16, 28, "start", chart.title, 16);
  double most = 0;
  for (const StackedBar& bar : chart.bars) most = std::max(most, total_of(bar));
  double y = kTitleHeight;
  for (const StackedBar& bar : chart.bars) {
    svg.label(kChartLeft - 8, y + 15, "end", (bar.is_marked ? "* " : "") + shortened(bar.label, 40));
    double x = kChartLeft;
    for (std::size_t i = 0; i < bar.parts.size() && most > 0; ++i) {
      if (bar.parts[i] <= 0) continue;
      const double width = (kBarsRight - kChartLeft) * bar.parts[i] / most;
      svg.add(rectangle(x, y, width, kBarHeight, chart_color(i),
                        bar.label + ", " + chart.series[i] + ": " + with_prefix(bar.parts[i], chart.unit)));
      x += width;
    }
    svg.label(x + 6, y + 15, "start", with_prefix(total_of(bar), chart.unit));
    y += kBarStep;
  }
  Legend legend(svg, 16, y + 20);
  for (std::size_t i = 0; i < chart.series.size(); ++i) {
    const bool is_here =
        std::ranges::any_of(chart.bars, [&](const StackedBar& bar) { return bar.parts[i] > 0; });
    if (is_here) legend.add(chart.series[i], chart_color(i));
  }
  return svg.text();
}

std::string bar_panels_svg(const PanelChart& chart) {
  constexpr double kPanelHeight = 56, kPanelStep = 66, kLeast = 0.4;
  SvgPicture svg(kChartWidth, kTitleHeight + kPanelStep * static_cast<double>(chart.panels.size()) + 10);
  double most = 0;
  for (const BarPanel& panel : chart.panels) {
    for (const NamedValue& bar : panel.bars) most = std::max(most, bar.value);
  }
  svg.label(16, 28, "start", chart.title + ", up to " + with_prefix(most, chart.unit), 16);
  double top = kTitleHeight;
  for (const BarPanel& panel : chart.panels) {
    svg.label(kChartLeft - 8, top + 20, "end", shortened(panel.label, 40));
    svg.line(kChartLeft, top + kPanelHeight, kChartWidth - 16, top + kPanelHeight, "stroke=\"#888888\"");
    const double step =
        (kChartWidth - 16 - kChartLeft) / static_cast<double>(std::max<std::size_t>(1, panel.bars.size()));
    double x = kChartLeft;
    for (const NamedValue& bar : panel.bars) {
      const double height = most > 0 ? kPanelHeight * bar.value / most : 0;
      if (bar.value > 0) {
        svg.add(rectangle(x + step * 0.1, top + kPanelHeight - std::max(height, kLeast), step * 0.8,
                          std::max(height, kLeast), chart_color(0),
                          bar.name + ": " + with_prefix(bar.value, chart.unit)));
      }
      x += step;
    }
    top += kPanelStep;
  }
  return svg.text();
}

namespace {

/// Two linear axes with a margin around what is shown.
struct ScatterAxes {
  double x_low = 0, x_high = 1, y_low = 0, y_high = 1;
  static constexpr double kLeft = 90, kRight = 640, kTop = kTitleHeight, kBottom = 500;

  explicit ScatterAxes(const std::vector<ScatterPoint>& points) {
    if (points.empty()) return;
    const auto by_x = [](const ScatterPoint& a, const ScatterPoint& b) { return a.x < b.x; };
    const auto by_y = [](const ScatterPoint& a, const ScatterPoint& b) { return a.y < b.y; };
    widen(std::ranges::min_element(points, by_x)->x, std::ranges::max_element(points, by_x)->x, x_low,
          x_high);
    widen(std::ranges::min_element(points, by_y)->y, std::ranges::max_element(points, by_y)->y, y_low,
          y_high);
  }
  static void widen(double least, double most, double& low, double& high) {
    const double margin = most > least ? (most - least) * 0.08 : std::max(1e-12, std::abs(most) * 0.1);
    low = least - margin;
    high = most + margin;
  }
  [[nodiscard]] double x(double value) const {
    return kLeft + (value - x_low) / (x_high - x_low) * (kRight - kLeft);
  }
  [[nodiscard]] double y(double value) const {
    return kBottom - (value - y_low) / (y_high - y_low) * (kBottom - kTop);
  }
};

void draw_axes(SvgPicture& svg, const ScatterAxes& axes, const ScatterChart& chart) {
  constexpr const char* kGrid = "stroke=\"#dddddd\"";
  for (const double tick : axis_ticks(axes.x_low, axes.x_high)) {
    svg.line(axes.x(tick), ScatterAxes::kTop, axes.x(tick), ScatterAxes::kBottom, kGrid);
    svg.label(axes.x(tick), ScatterAxes::kBottom + 18, "middle", with_prefix(tick, chart.x_unit));
  }
  for (const double tick : axis_ticks(axes.y_low, axes.y_high)) {
    svg.line(ScatterAxes::kLeft, axes.y(tick), ScatterAxes::kRight, axes.y(tick), kGrid);
    svg.label(ScatterAxes::kLeft - 8, axes.y(tick) + 4, "end", fmt::format("{:.6g}", tick));
  }
  svg.label((ScatterAxes::kLeft + ScatterAxes::kRight) / 2, ScatterAxes::kBottom + 42, "middle",
            chart.x_label);
  svg.add(
      fmt::format("<text transform=\"translate(24 {:.1f}) rotate(-90)\" text-anchor=\"middle\">{}</text>\n",
                  (ScatterAxes::kTop + ScatterAxes::kBottom) / 2, xml_text(chart.y_label)));
}

/// Through the points of the front, from left to right.
void draw_front(SvgPicture& svg, const ScatterAxes& axes, const std::vector<ScatterPoint>& points) {
  std::vector<const ScatterPoint*> front;
  for (const ScatterPoint& point : points) {
    if (point.is_front) front.push_back(&point);
  }
  std::ranges::sort(front, [](const ScatterPoint* a, const ScatterPoint* b) { return a->x < b->x; });
  for (std::size_t i = 1; i < front.size(); ++i) {
    svg.line(axes.x(front[i - 1]->x), axes.y(front[i - 1]->y), axes.x(front[i]->x), axes.y(front[i]->y),
             "stroke=\"#888888\" stroke-dasharray=\"4 3\"");
  }
}

}  // namespace

std::string scatter_svg(const ScatterChart& chart) {
  constexpr double kRadius = 9, kLine = 17;
  const double legend = kLine * static_cast<double>(chart.points.size() + chart.groups.size() + 3);
  SvgPicture svg(kChartWidth, std::max(560.0, kTitleHeight + legend));
  svg.label(16, 28, "start", chart.title, 16);
  const ScatterAxes axes(chart.points);
  draw_axes(svg, axes, chart);
  draw_front(svg, axes, chart.points);
  double y = kTitleHeight + 10;
  constexpr double kLegendLeft = ScatterAxes::kRight + 24;
  for (std::size_t i = 0; i < chart.points.size(); ++i) {
    const ScatterPoint& point = chart.points[i];
    const char* color = chart_color(point.group);
    svg.add(
        fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{}\" fill=\"{}\" stroke=\"{}\"><title>{}: {}, "
                    "{:.6g}</title></circle>\n",
                    axes.x(point.x), axes.y(point.y), kRadius, point.is_front ? color : "white", color,
                    xml_text(point.label), with_prefix(point.x, chart.x_unit), point.y));
    svg.add(fmt::format(
        "<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\" font-size=\"10\" fill=\"{}\">{}</text>\n",
        axes.x(point.x), axes.y(point.y) + 3.5, point.is_front ? "white" : color, i + 1));
    svg.label(kLegendLeft, y, "start", fmt::format("{}  {}", i + 1, shortened(point.label, 44)), 11);
    y += kLine;
  }
  y += kLine / 2;
  svg.label(kLegendLeft, y, "start", "filled: on the Pareto front", 11);
  for (std::size_t g = 0; g < chart.groups.size(); ++g) {
    y += kLine;
    svg.add(rectangle(kLegendLeft, y - 10, 12, 12, chart_color(g), chart.groups[g]));
    svg.label(kLegendLeft + 18, y, "start", shortened(chart.groups[g], 40), 11);
  }
  return svg.text();
}

}  // namespace qsim
