#include "sim/explain/roofline_svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "sim/explain/svg_picture.h"
#include "sim/explain/xml_text.h"

namespace qsim {
namespace {

constexpr double kWidth = 960, kHeight = 600;
constexpr double kLeft = 80, kRight = 720, kTop = 50, kBottom = 530;  // of the plot
constexpr double kMostRadius = 14, kLeastRadius = 3;

/// By limit, in the order of the enumerators (after P. Tol's muted scheme).
constexpr std::array<const char*, kLimitCount> kColors{"#332288", "#88ccee", "#44aa99", "#117733",
                                                       "#999933", "#cc6677", "#882255", "#aa4499",
                                                       "#ddcc77", "#888888", "#000000"};

/// Powers of ten around what is shown, and where they lie.
struct Axis {
  int low = 0, high = 1;    ///< log10
  double from = 0, to = 0;  ///< Coordinates.

  void include(double value) {
    if (value <= 0) return;
    const double log = std::log10(value);
    const auto below = static_cast<int>(std::floor(log));
    const auto above = static_cast<int>(std::ceil(log));
    low = is_set ? std::min(low, below) : below;
    high = std::max(is_set ? std::max(high, above) : above, low + 1);
    is_set = true;
  }
  [[nodiscard]] double at(double value) const {
    const double log = std::clamp<double>(std::log10(std::max(value, 1e-30)), low, high);
    return from + (log - low) / (high - low) * (to - from);
  }
  bool is_set = false;
};

class Picture {
 public:
  explicit Picture(const Roofline& roofline) : roofline_(roofline) {
    x_.from = kLeft;
    x_.to = kRight;
    y_.from = kBottom;
    y_.to = kTop;
    for (const RooflinePeak& peak : roofline.peaks) {
      y_.include(peak.macs_per_cycle);
      if (roofline.dram_bytes_per_cycle > 0) {
        x_.include(peak.macs_per_cycle / roofline.dram_bytes_per_cycle);
      }
    }
    for (const RooflinePoint& point : roofline.points) {
      y_.include(point.macs_per_cycle);
      if (point.macs_per_dram_byte) x_.include(*point.macs_per_dram_byte);
    }
  }

  std::string draw() {
    svg_.label(kLeft, 28, "start", roofline_.workload + " on " + roofline_.hardware, 16);
    draw_axes();
    draw_roofs();
    draw_points();
    draw_legend();
    return svg_.text();
  }

 private:
  void draw_axes() {
    constexpr const char* kGrid = "stroke=\"#dddddd\"";
    for (int power = x_.low; power <= x_.high; ++power) {
      const double x = x_.at(std::pow(10.0, power));
      svg_.line(x, kTop, x, kBottom, kGrid);
      svg_.label(x, kBottom + 18, "middle", fmt::format("{:g}", std::pow(10.0, power)));
    }
    for (int power = y_.low; power <= y_.high; ++power) {
      const double y = y_.at(std::pow(10.0, power));
      svg_.line(kLeft, y, kRight, y, kGrid);
      svg_.label(kLeft - 8, y + 4, "end", fmt::format("{:g}", std::pow(10.0, power)));
    }
    svg_.label((kLeft + kRight) / 2, kBottom + 42, "middle", "MACs per DRAM byte");
    svg_.add(fmt::format(
        "<text transform=\"translate(24 {:.1f}) rotate(-90)\" text-anchor=\"middle\">MACs per cycle</text>\n",
        (kTop + kBottom) / 2));
  }

  void draw_roofs() {
    constexpr const char* kRoof = "stroke=\"black\" stroke-width=\"1.5\"";
    const double bandwidth = roofline_.dram_bytes_per_cycle;
    double highest = 0;
    for (const RooflinePeak& peak : roofline_.peaks) {
      highest = std::max(highest, peak.macs_per_cycle);
      const double y = y_.at(peak.macs_per_cycle);
      svg_.line(bandwidth > 0 ? x_.at(peak.macs_per_cycle / bandwidth) : kLeft, y, kRight, y, kRoof);
      svg_.label(kRight - 4, y - kMostRadius - 6, "end",
                 fmt::format("{:g} MACs a cycle, {} x {} bits", peak.macs_per_cycle, peak.weight_bits,
                             peak.activation_bits));
    }
    if (bandwidth == 0 || highest == 0) return;
    // From where the bandwidth's line enters the plot to the highest roof.
    const double begin = std::max(std::pow(10.0, x_.low), std::pow(10.0, y_.low) / bandwidth);
    svg_.line(x_.at(begin), y_.at(begin * bandwidth), x_.at(highest / bandwidth), y_.at(highest), kRoof);
    // Where no layer is: above the middle of the line.
    const double middle = std::sqrt(begin * highest / bandwidth);
    svg_.label(x_.at(middle) - kMostRadius, y_.at(middle * bandwidth) - kMostRadius, "end",
               fmt::format("{:g} bytes a cycle", bandwidth));
  }

  void draw_points() {
    std::int64_t most = 1;
    for (const RooflinePoint& point : roofline_.points) most = std::max(most, point.cycles);
    for (const RooflinePoint& point : roofline_.points) {
      const double x = point.macs_per_dram_byte ? x_.at(*point.macs_per_dram_byte) : kRight;
      const double radius = std::max(kLeastRadius, kMostRadius * std::sqrt(static_cast<double>(point.cycles) /
                                                                           static_cast<double>(most)));
      svg_.add(fmt::format(
          "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{:.1f}\" fill=\"{}\" fill-opacity=\"0.6\" "
          "stroke=\"{}\"><title>{}: {} x {} bits, {} cycles, {:.1f} MACs a cycle of {:.1f}, limited by "
          "{}</title></circle>\n",
          x, y_.at(point.macs_per_cycle), radius, color(point.limited_by), color(point.limited_by),
          xml_text(point.name), point.weight_bits, point.activation_bits, point.cycles, point.macs_per_cycle,
          point.ceiling_macs_per_cycle, limit_name(point.limited_by)));
    }
  }

  void draw_legend() {
    double y = kTop + 10;
    svg_.label(kRight + 30, y, "start", "limited by");
    for (const LimitRow& row : kLimits) {
      const auto is_here = [&](const RooflinePoint& point) { return point.limited_by == row.limit; };
      if (std::ranges::none_of(roofline_.points, is_here)) continue;
      y += 20;
      svg_.add(fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"6\" fill=\"{}\" fill-opacity=\"0.6\"/>\n",
                           kRight + 36, y - 4, color(row.limit)));
      svg_.label(kRight + 50, y, "start", std::string(row.name));
    }
  }

  [[nodiscard]] static const char* color(Limit limit) { return kColors[static_cast<std::size_t>(limit)]; }

  const Roofline& roofline_;
  Axis x_, y_;
  SvgPicture svg_{kWidth, kHeight};
};

}  // namespace

std::string roofline_svg(const Roofline& roofline) {
  return Picture(roofline).draw();
}

}  // namespace qsim
