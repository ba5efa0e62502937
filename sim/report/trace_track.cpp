#include "sim/report/trace_track.h"

#include <algorithm>
#include <array>
#include <map>

namespace qsim {
namespace {

constexpr std::size_t kSpans = static_cast<std::size_t>(Span::count_);

struct Edge {
  std::int64_t cycle = 0;
  std::int32_t row = 0;
  std::size_t span = 0;
  bool begins = false;
};

std::vector<Edge> edges_of(const std::vector<Interval>& intervals) {
  std::vector<Edge> edges;
  edges.reserve(2 * intervals.size());
  for (const Interval& interval : intervals) {
    const auto span = static_cast<std::size_t>(interval.span);
    edges.push_back({interval.begin, interval.row, span, true});
    edges.push_back({interval.end, interval.row, span, false});
  }
  std::stable_sort(edges.begin(), edges.end(),
                   [](const Edge& a, const Edge& b) { return a.cycle < b.cycle; });
  return edges;
}

/// Rows of the intervals under way, by span.
class Active {
 public:
  void apply(const Edge& edge) {
    auto& rows = rows_[edge.span];
    if (edge.begins) {
      ++rows[edge.row];
    } else if (const auto found = rows.find(edge.row); --found->second == 0) {
      rows.erase(found);
    }
  }
  /// kSpans where there is none.
  [[nodiscard]] std::size_t first() const {
    std::size_t span = 0;
    while (span < kSpans && rows_[span].empty()) ++span;
    return span;
  }
  [[nodiscard]] std::int32_t row(std::size_t span) const { return rows_[span].begin()->first; }

 private:
  std::array<std::map<std::int32_t, int>, kSpans> rows_;
};

}  // namespace

std::vector<TrackPiece> track_pieces(const std::vector<Interval>& intervals) {
  std::vector<TrackPiece> pieces;
  const std::vector<Edge> edges = edges_of(intervals);
  Active active;
  for (std::size_t i = 0; i < edges.size();) {
    const std::int64_t cycle = edges[i].cycle;
    std::array<bool, kSpans> begins{};
    for (; i < edges.size() && edges[i].cycle == cycle; ++i) {
      active.apply(edges[i]);
      begins[edges[i].span] |= edges[i].begins;
    }
    const std::size_t span = active.first();
    if (span == kSpans || i == edges.size()) continue;
    const TrackPiece piece{cycle, edges[i].cycle, active.row(span), static_cast<Span>(span)};
    TrackPiece* last = pieces.empty() ? nullptr : &pieces.back();
    const bool goes_on = last != nullptr && last->end == cycle && last->row == piece.row &&
                         last->span == piece.span && !begins[span];
    goes_on ? static_cast<void>(last->end = piece.end) : pieces.push_back(piece);
  }
  return pieces;
}

std::vector<BookedPiece> booked_pieces(const std::vector<Interval>& intervals,
                                       const std::vector<Completion>& completions) {
  std::vector<BookedPiece> booked;
  std::size_t next = 0;  // in `completions`
  const auto book = [&](std::int64_t begin, std::int64_t end, CycleClass cycle_class) {
    while (begin < end && next < completions.size()) {
      const std::int64_t piece_end = std::min(end, completions[next].cycle);
      if (piece_end > begin) {
        BookedPiece* last = booked.empty() ? nullptr : &booked.back();
        const std::int32_t owner = completions[next].row;
        if (last != nullptr && last->row == owner && last->cycle_class == cycle_class) {
          last->end = piece_end;
        } else {
          booked.push_back({begin, piece_end, owner, cycle_class});
        }
        begin = piece_end;
      }
      if (begin >= completions[next].cycle) ++next;
    }
  };
  std::int64_t cycle = 0;
  for (const TrackPiece& piece : track_pieces(intervals)) {
    book(cycle, piece.begin, CycleClass::control);
    book(piece.begin, piece.end, class_of(piece.span));
    cycle = piece.end;
  }
  if (!completions.empty()) book(cycle, completions.back().cycle, CycleClass::control);
  return booked;
}

}  // namespace qsim
