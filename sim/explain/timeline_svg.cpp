#include "sim/explain/timeline_svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "base/error.h"
#include "base/json_reader.h"
#include "sim/explain/charts.h"
#include "sim/explain/svg_picture.h"
#include "sim/explain/xml_text.h"

namespace qsim {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kTimeLeft = 150, kTimeWidth = 1000, kTimeRight = kTimeWidth - 16;
constexpr double kTimeTop = 20, kTimeTrackHeight = 18, kTimeTrackStep = 24;
constexpr std::size_t kTimePixels = static_cast<std::size_t>(kTimeRight - kTimeLeft);
constexpr double kMostCycles = 1e15;

struct TimelinePiece {
  double begin = 0.0, end = 0.0;
  std::size_t state = 0;
};

struct TimelineTrack {
  std::string name;
  std::vector<TimelinePiece> pieces;
};

/// How much of a pixel each state took.
using TimelinePixel = std::map<std::size_t, double>;

class Timeline {
 public:
  Timeline(const Json& trace, const std::string& file) : problems_(file, "write it with qsim --trace") {
    JsonObject root(trace, "", problems_);
    const Json* events = root.raw("traceEvents");
    if (events == nullptr || !events->is_array()) {
      root.problem("traceEvents", "a list of events in Chrome's trace format");
    } else {
      for (std::size_t i = 0; i < events->size(); ++i) read((*events)[i], i);
    }
    problems_.throw_if_any();
  }

  std::string draw() {
    SvgPicture svg(kTimeWidth, kTimeTop + kTimeTrackStep * static_cast<double>(tracks_.size()) + 70);
    double y = kTimeTop;
    for (const auto& [id, track] : tracks_) {
      svg.label(kTimeLeft - 8, y + 13, "end", track.name);
      draw_track(svg, track, y);
      y += kTimeTrackStep;
    }
    for (const double tick : axis_ticks(0, end_)) {
      svg.line(x_of(tick), kTimeTop, x_of(tick), y, "stroke=\"#888888\" stroke-width=\"0.4\"");
      svg.label(x_of(tick), y + 14, "middle", fmt::format("{:g}", tick), 10);
    }
    svg.label((kTimeLeft + kTimeRight) / 2, y + 30, "middle", "cycles", 11);
    double x = 16;
    for (std::size_t s = 0; s < states_.size(); ++s) {
      svg.add(fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"12\" height=\"12\" fill=\"{}\"/>\n", x,
                          y + 42, chart_color(s)));
      svg.label(x + 16, y + 52, "start", states_[s], 10);
      x += 28 + 6.2 * static_cast<double>(states_[s].size());
    }
    return svg.text();
  }

 private:
  void read(const Json& json, std::size_t index) {
    JsonObject event(json, "traceEvents[" + std::to_string(index) + "]", problems_);
    const std::string phase = event.string("ph");
    const bool is_name = phase == "M" && event.string("name") == "thread_name";
    if (!is_name && phase != "X") return;
    const std::int64_t track = event.integer("tid", 0, std::int64_t{1} << 31);
    if (is_name) {
      tracks_[track].name = event.object("args").string("name");
      return;
    }
    TimelinePiece piece;
    piece.begin = event.number("ts", 0, kMostCycles);
    piece.end = piece.begin + event.number("dur", 0, kMostCycles);
    piece.state = state_of(event.string("cat"));
    end_ = std::max(end_, piece.end);
    tracks_[track].pieces.push_back(piece);
  }

  std::size_t state_of(const std::string& name) {
    const auto found = std::ranges::find(states_, name);
    if (found != states_.end()) return static_cast<std::size_t>(found - states_.begin());
    states_.push_back(name);
    return states_.size() - 1;
  }

  [[nodiscard]] double x_of(double cycle) const {
    return kTimeLeft + (kTimeRight - kTimeLeft) * cycle / end_;
  }

  [[nodiscard]] std::vector<TimelinePixel> pixels_of(const TimelineTrack& track) const {
    std::vector<TimelinePixel> pixels(kTimePixels);
    const double scale = static_cast<double>(kTimePixels) / end_;
    for (const TimelinePiece& piece : track.pieces) {
      const double begin = piece.begin * scale;
      const double end = piece.end * scale;
      for (auto p = static_cast<std::size_t>(begin); p < kTimePixels && static_cast<double>(p) < end; ++p) {
        const auto left = static_cast<double>(p);
        pixels[p][piece.state] += std::min(end, left + 1) - std::max(begin, left);
      }
    }
    return pixels;
  }

  /// Neighbours that look alike are one rectangle.
  void draw_track(SvgPicture& svg, const TimelineTrack& track, double y) const {
    struct Look {
      std::size_t state = 0;
      int tenths = 0;  ///< Of the pixel that are taken; 0: nothing is drawn.
      bool operator==(const Look&) const = default;
    };
    const auto look_of = [](const TimelinePixel& pixel) {
      Look look;
      double taken = 0;
      double most = 0;
      for (const auto& [state, share] : pixel) {
        taken += share;
        if (share > most) look.state = state;
        most = std::max(most, share);
      }
      look.tenths = taken > 0 ? std::clamp(static_cast<int>(std::ceil(10 * taken - 1e-9)), 1, 10) : 0;
      return look;
    };
    const std::vector<TimelinePixel> pixels = pixels_of(track);
    for (std::size_t p = 0; p < kTimePixels;) {
      const Look look = look_of(pixels[p]);
      std::size_t end = p + 1;
      while (end < kTimePixels && look_of(pixels[end]) == look) ++end;
      if (look.tenths > 0) {
        svg.add(fmt::format(
            "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{}\" height=\"{}\" fill=\"{}\" "
            "fill-opacity=\"{:.1f}\"><title>{}: {}</title></rect>\n",
            kTimeLeft + static_cast<double>(p), y, end - p, kTimeTrackHeight, chart_color(look.state),
            look.tenths / 10.0, xml_text(track.name), xml_text(states_[look.state])));
      }
      p = end;
    }
  }

  ProblemList problems_;
  std::map<std::int64_t, TimelineTrack> tracks_;  ///< By their number.
  std::vector<std::string> states_;
  double end_ = 1.0;
};

}  // namespace

std::string timeline_svg(const Json& trace, const std::string& file) {
  return Timeline(trace, file).draw();
}

}  // namespace qsim
