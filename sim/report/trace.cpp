#include "sim/report/trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "sim/report/trace_track.h"

namespace qsim {
namespace {

/// What a unit's track shows.
struct Track {
  const char* name;
  std::array<Span, 5> spans;
};
/// Fills the places that a track does not need with its last span.
template <typename... Spans>
constexpr Track make_track(const char* name, Spans... spans) {
  Track track{name, {spans...}};
  const std::array<Span, sizeof...(Spans)> own{spans...};
  for (std::size_t i = own.size(); i < track.spans.size(); ++i) track.spans[i] = own.back();
  return track;
}
constexpr int kCyclesTrack = 1;
/// The loads of weights into the PEs overlap with what streams through them: a track of their own.
constexpr std::array<Track, 9> kTracks{
    make_track("MAC array", Span::stream_waits_ports, Span::compute, Span::fill_drain),
    make_track("weight registers", Span::load_waits_ports, Span::weight_load),
    make_track("MAC array waits", Span::wait_weights, Span::wait_activations, Span::wait_accumulators,
               Span::wait_requantizer, Span::wait_output_space),
    make_track("requantizer", Span::requantizer_busy),
    make_track("vector unit", Span::vector),
    make_track("DMA weights", Span::weights_busy),
    make_track("DMA inputs", Span::inputs_busy),
    make_track("DMA stores", Span::stores_busy),
    make_track("host", Span::host),
};

class TraceWriter {
 public:
  TraceWriter(const RunResult& result, const PowerProfile& power) : result_(result), power_(power) {
    const std::size_t layers = result.layers.size();
    const auto parts = static_cast<std::size_t>(result.timeline.parts);
    for (std::size_t row = 0; row < result.timeline.rows.size(); ++row) {
      std::string name = result.layers[result.timeline.layer_of(row)].name;
      if (parts > 1)
        name += " (part " + std::to_string(row / layers % parts + 1) + " of " + std::to_string(parts) + ")";
      const std::size_t inference = row / (layers * parts);
      if (inference > 0) name += " (inference " + std::to_string(inference + 1) + ")";
      const std::string quoted =
          nlohmann::json(name).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
      names_.push_back(quoted.substr(1, quoted.size() - 2));
    }
  }

  std::string write() {
    text_ =
        R"({"displayTimeUnit": "ns", "otherData": {"tool": "qsim", "time": "a microsecond is a cycle", )" +
        fmt::format(R"("clock_khz": "{}"}}, "traceEvents": [)", result_.hardware.clock_khz);
    add(R"({"ph":"M","pid":1,"name":"process_name","args":{"name":"qsim"}})");
    write_cycles();
    int track = kCyclesTrack;
    for (const Track& unit : kTracks) write_unit(++track, unit);
    write_inferences();
    write_bandwidth("DRAM read bytes per cycle", result_.timeline.bus.read_bytes);
    write_bandwidth("DRAM write bytes per cycle", result_.timeline.bus.written_bytes);
    write_power();
    write_fill("weight buffer bytes", {Held::weights, Held::parameters});
    write_fill("activation buffer bytes", {Held::inputs, Held::addends});
    return std::move(text_ += "\n]}\n");
  }

 private:
  void add(const std::string& event) {
    text_ += is_first_ ? "\n" : ",\n";
    text_ += event;
    is_first_ = false;
  }

  void name_track(int track, const char* name) {
    add(fmt::format(R"({{"ph":"M","pid":1,"tid":{},"name":"thread_name","args":{{"name":"{}"}}}})", track,
                    name));
    add(fmt::format(
        R"({{"ph":"M","pid":1,"tid":{0},"name":"thread_sort_index","args":{{"sort_index":{0}}}}})", track));
  }

  void add_piece(int track, std::int64_t begin, std::int64_t end, std::int32_t row, std::string_view state) {
    add(fmt::format(R"({{"ph":"X","pid":1,"tid":{},"ts":{},"dur":{},"cat":"{}","name":"{}: {}"}})", track,
                    begin, end - begin, state, names_[static_cast<std::size_t>(row)], state));
  }

  void write_cycles() {
    name_track(kCyclesTrack, "cycles");
    for (const BookedPiece& piece : booked_pieces(result_.timeline.intervals, result_.timeline.completions)) {
      add_piece(kCyclesTrack, piece.begin, piece.end, piece.row, cycle_class_name(piece.cycle_class));
    }
  }

  void write_unit(int track, const Track& unit) {
    std::vector<Interval> own;
    std::copy_if(result_.timeline.intervals.begin(), result_.timeline.intervals.end(),
                 std::back_inserter(own),
                 [&](const Interval& interval) { return std::ranges::count(unit.spans, interval.span) > 0; });
    name_track(track, unit.name);
    for (const TrackPiece& piece : track_pieces(own))
      add_piece(track, piece.begin, piece.end, piece.row, span_name(piece.span));
  }

  void add_counter(const char* name, std::int64_t cycle, const std::string& value) {
    add(fmt::format(R"({{"ph":"C","pid":1,"ts":{},"name":"{}","args":{{"value":{}}}}})", cycle, name, value));
  }

  /// Bytes on the memory's bus as an average a window; 0 from the last one on.
  void write_bandwidth(const char* name, const std::vector<double>& bytes) {
    const std::int64_t window = result_.timeline.bus.window_cycles;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      add_counter(name, static_cast<std::int64_t>(i) * window,
                  fmt::format("{:.12g}", bytes[i] / static_cast<double>(window)));
    }
    add_counter(name, static_cast<std::int64_t>(bytes.size()) * window, "0");
  }

  /// Of the first inference, an average a window; 0 from the last one on.
  void write_power() {
    if (power_.window_cycles == 0) return;
    for (std::size_t i = 0; i < power_.energy_pj.size(); ++i) {
      add_counter("power mW", static_cast<std::int64_t>(i) * power_.window_cycles,
                  fmt::format("{:.12g}", power_.energy_pj[i] * 1e-9 / power_.window_s));
    }
    add_counter("power mW", static_cast<std::int64_t>(power_.energy_pj.size()) * power_.window_cycles, "0");
  }

  /// When each inference was complete.
  void write_inferences() {
    const std::vector<RowTimes>& rows = result_.timeline.rows;
    const std::size_t own = result_.layers.size() * static_cast<std::size_t>(result_.timeline.parts);
    for (std::size_t i = 0; own > 0 && (i + 1) * own <= rows.size(); ++i) {
      add(fmt::format(R"({{"ph":"i","pid":1,"tid":{},"ts":{},"s":"p","name":"inference {} complete"}})",
                      kCyclesTrack, rows[(i + 1) * own - 1].completed, i + 1));
    }
  }

  void write_fill(const char* name, const std::vector<Held>& kinds) {
    std::vector<FillChange> changes;
    std::copy_if(result_.timeline.fills.begin(), result_.timeline.fills.end(), std::back_inserter(changes),
                 [&](const FillChange& change) {
                   return std::find(kinds.begin(), kinds.end(), change.held) != kinds.end();
                 });
    std::stable_sort(changes.begin(), changes.end(),
                     [](const FillChange& a, const FillChange& b) { return a.cycle < b.cycle; });
    std::int64_t fill = 0;
    for (std::size_t i = 0; i < changes.size(); ++i) {
      fill += changes[i].bytes;
      const bool is_last = i + 1 == changes.size() || changes[i + 1].cycle != changes[i].cycle;
      if (is_last) add_counter(name, changes[i].cycle, std::to_string(fill));
    }
  }

  const RunResult& result_;
  const PowerProfile& power_;
  std::vector<std::string> names_;  ///< By row, as JSON has them, without quotes.
  std::string text_;
  bool is_first_ = true;
};

}  // namespace

std::string trace_json(const RunResult& result, const PowerProfile& power) {
  return TraceWriter(result, power).write();
}

}  // namespace qsim
