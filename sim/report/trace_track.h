// One track of a trace: intervals that overlap become pieces that do not.
#pragma once

#include <cstdint>
#include <vector>

#include "hw_models/timeline.h"

namespace qsim {

/// A stretch of time in which one state of one row is the first that applies.
struct TrackPiece {
  std::int64_t begin = 0, end = 0;
  std::int32_t row = 0;
  Span span = Span::compute;
};

/// Pieces of `intervals` in order of time. Where several apply, the first in the order of Span shows, of
/// equal ones the earliest row. An interval that begins begins a piece: neighbouring tiles stay apart.
[[nodiscard]] std::vector<TrackPiece> track_pieces(const std::vector<Interval>& intervals);

/// What each cycle of the run counts as, as Timeline::classify() books it: the pieces of all intervals, cut
/// at the completions and booked to the row that completes next; gaps are control.
struct BookedPiece {
  std::int64_t begin = 0, end = 0;
  std::int32_t row = 0;
  CycleClass cycle_class = CycleClass::control;
};
[[nodiscard]] std::vector<BookedPiece> booked_pieces(const std::vector<Interval>& intervals,
                                                     const std::vector<Completion>& completions);

}  // namespace qsim
