// Charts for pages: stacked bars, panels of bars, points over two axes. Each is an SVG document by itself; a
// viewer shows a mark's name and figure at the mark.
#pragma once

#include <string>
#include <vector>

namespace qsim {

/// Colors that are told apart, in turn (after P. Tol's muted scheme).
[[nodiscard]] const char* chart_color(std::size_t index);

/// A bar from left to right; `parts` are not negative, one a series of the chart.
struct StackedBar {
  std::string label;
  std::vector<double> parts;
  bool is_marked = false;  ///< With a star before its label.
};

struct StackedChart {
  std::string title;
  std::string unit;  ///< "J", "cycles"; figures get decimal prefixes.
  std::vector<std::string> series;
  std::vector<StackedBar> bars;
};
/// Bars below each other, their sums at their ends, series that are 0 everywhere left out of the legend.
[[nodiscard]] std::string stacked_bars_svg(const StackedChart& chart);

struct NamedValue {
  std::string name;
  double value = 0.0;
};

/// Upright bars side by side.
struct BarPanel {
  std::string label;
  std::vector<NamedValue> bars;
};

struct PanelChart {
  std::string title;
  std::string unit;
  std::vector<BarPanel> panels;  ///< Below each other, on one scale.
};
[[nodiscard]] std::string bar_panels_svg(const PanelChart& chart);

struct ScatterPoint {
  std::string label;
  std::size_t group = 0;  ///< Its color.
  double x = 0.0, y = 0.0;
  bool is_front = false;  ///< Filled.
};

struct ScatterChart {
  std::string title;
  std::string x_label, x_unit;  ///< Figures of x get decimal prefixes before the unit.
  std::string y_label;
  std::vector<std::string> groups;
  std::vector<ScatterPoint> points;  ///< Numbered; the legend has their labels.
};
[[nodiscard]] std::string scatter_svg(const ScatterChart& chart);

/// Where ticks of an axis over [low, high] lie: multiples of 1, 2 or 5 times a power of ten, 3 to 9 of them.
[[nodiscard]] std::vector<double> axis_ticks(double low, double high);

}  // namespace qsim
