#include "sim/explain/memory_map_svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "sim/explain/svg_picture.h"
#include "sim/explain/xml_text.h"

namespace qsim {
namespace {

constexpr double kMapWidth = 1200;
constexpr double kMapLeft = 90, kMapRight = 1000;  // of the plots
constexpr double kMapTop = 60, kPlotHeight = 360, kMapGap = 70;
constexpr double kMapHeight = kMapTop + 2 * kPlotHeight + 2 * kMapGap;

/// By use, in the order of the enumerators (after P. Tol's muted scheme).
constexpr std::array<const char*, kMemoryUseCount> kUseColors{"#332288", "#88ccee", "#6699cc", "#44aa99",
                                                              "#ddcc77", "#117733", "#dddddd", "#882255",
                                                              "#aa4499", "#cc6677", "#999933"};

class MapPicture {
 public:
  MapPicture(const MemoryMap& map, const MemoryMapOf& of) : map_(map), of_(of) {}

  std::string draw() {
    svg_.label(kMapLeft, 28, "start", of_.workload + " on " + of_.hardware, 16);
    draw_buffer("activation buffer", map_.activation_buffer, kMapTop);
    draw_buffer("weight buffer", map_.weight_buffer, kMapTop + kPlotHeight + kMapGap);
    draw_legend();
    return svg_.text();
  }

 private:
  [[nodiscard]] double x_of(std::size_t row) const {
    const auto rows = static_cast<double>(std::max<std::size_t>(1, map_.rows.size()));
    return kMapLeft + (kMapRight - kMapLeft) * static_cast<double>(row) / rows;
  }

  void draw_buffer(const char* name, const BufferMap& buffer, double top) {
    const auto y_of = [&](std::int64_t address) {
      return top +
             kPlotHeight * (1 - static_cast<double>(address) /
                                    static_cast<double>(std::max<std::int64_t>(1, buffer.capacity_bytes)));
    };
    svg_.label(
        kMapLeft, top - 8, "start",
        fmt::format("{}, {} bytes, at most {} in use", name, buffer.capacity_bytes, buffer.peak_bytes));
    for (int quarter = 0; quarter <= 4; ++quarter) {
      const std::int64_t address = buffer.capacity_bytes * quarter / 4;
      svg_.line(kMapLeft, y_of(address), kMapRight, y_of(address), "stroke=\"#dddddd\"");
      svg_.label(kMapLeft - 8, y_of(address) + 4, "end", std::to_string(address));
    }
    for (const MemoryRange& range : buffer.ranges)
      draw_range(range, y_of(range.address + range.bytes), y_of(range.address));
    const std::size_t step = std::max<std::size_t>(1, map_.rows.size() / 12);
    for (std::size_t row = 0; row < map_.rows.size(); row += step)
      svg_.label(x_of(row), top + kPlotHeight + 16, "start", std::to_string(row));
    svg_.label((kMapLeft + kMapRight) / 2, top + kPlotHeight + 34, "middle", "row");
  }

  void draw_range(const MemoryRange& range, double top, double bottom) {
    svg_.add(fmt::format(
        "<rect x=\"{:.2f}\" y=\"{:.2f}\" width=\"{:.2f}\" height=\"{:.2f}\" fill=\"{}\" fill-opacity=\"0.7\" "
        "stroke=\"white\" stroke-width=\"0.3\"><title>{}</title></rect>\n",
        x_of(range.first_row), top, x_of(range.last_row + 1) - x_of(range.first_row), bottom - top,
        kUseColors[static_cast<std::size_t>(range.use)],
        xml_text(fmt::format("{} {}: bytes {} to {}, {} to {}", memory_use_name(range.use), range.name,
                             range.address, range.address + range.bytes - 1, map_.rows[range.first_row],
                             map_.rows[range.last_row]))));
  }

  void draw_legend() {
    double y = kMapTop + 10;
    for (const MemoryUseRow& use : kMemoryUses) {
      const auto is_here = [&](const MemoryRange& range) { return range.use == use.use; };
      if (std::ranges::none_of(map_.activation_buffer.ranges, is_here) &&
          std::ranges::none_of(map_.weight_buffer.ranges, is_here))
        continue;
      svg_.add(fmt::format(
          "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"12\" height=\"12\" fill=\"{}\" fill-opacity=\"0.7\"/>\n",
          kMapRight + 24, y - 10, kUseColors[static_cast<std::size_t>(use.use)]));
      svg_.label(kMapRight + 42, y, "start", std::string(use.name));
      y += 20;
    }
  }

  const MemoryMap& map_;
  const MemoryMapOf& of_;
  SvgPicture svg_{kMapWidth, kMapHeight};
};

}  // namespace

std::string memory_map_svg(const MemoryMap& map, const MemoryMapOf& of) {
  return MapPicture(map, of).draw();
}

}  // namespace qsim
