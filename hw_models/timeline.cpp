#include "hw_models/timeline.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

namespace qsim {

namespace {

constexpr std::size_t kSpanCount = static_cast<std::size_t>(Span::count_);

struct SpanRow {
  Span span{};
  CycleClass cycle_class{};
  std::string_view name;
};

constexpr SpanRow named_like_class(Span span, CycleClass cycle_class) {
  return {span, cycle_class, cycle_class_name(cycle_class)};
}

/// In the order of the enumerators.
constexpr std::array<SpanRow, kSpanCount> kSpans{{
    named_like_class(Span::stream_waits_ports, CycleClass::wait_ports),
    named_like_class(Span::compute, CycleClass::compute),
    {Span::load_waits_ports, CycleClass::wait_ports, "slow load"},
    named_like_class(Span::fill_drain, CycleClass::fill_drain),
    named_like_class(Span::weight_load, CycleClass::weight_load),
    named_like_class(Span::wait_weights, CycleClass::wait_weights),
    named_like_class(Span::wait_activations, CycleClass::wait_activations),
    named_like_class(Span::wait_accumulators, CycleClass::wait_accumulators),
    named_like_class(Span::wait_requantizer, CycleClass::wait_requantizer),
    named_like_class(Span::wait_output_space, CycleClass::wait_output_space),
    named_like_class(Span::vector, CycleClass::vector),
    named_like_class(Span::host, CycleClass::host),
    {Span::requantizer_busy, CycleClass::wait_requantizer, "requantize"},
    {Span::stores_busy, CycleClass::wait_output_space, "store outputs"},
    {Span::inputs_busy, CycleClass::wait_activations, "load inputs"},
    {Span::weights_busy, CycleClass::wait_weights, "load weights"},
}};
static_assert(is_in_order(kSpans, &SpanRow::span));

struct Edge {
  std::int64_t cycle;
  std::uint8_t span;
  std::int8_t change;
};

/// Splits [begin, end) at the rows' completions and books each piece.
class RowBooking {
 public:
  RowBooking(std::vector<Completion> completions, std::size_t rows)
      : completions_(std::move(completions)), breakdown_(rows) {}

  void book(std::int64_t begin, std::int64_t end, CycleClass cycle_class) {
    while (begin < end && next_ < completions_.size()) {
      const Completion& next = completions_[next_];
      const std::int64_t piece_end = std::min(end, next.cycle);
      if (piece_end > begin) {
        breakdown_[static_cast<std::size_t>(next.row)][static_cast<std::size_t>(cycle_class)] +=
            piece_end - begin;
        begin = piece_end;
      }
      if (begin >= next.cycle) ++next_;
    }
  }
  /// Completion of the last row.
  [[nodiscard]] std::int64_t end() const { return completions_.empty() ? 0 : completions_.back().cycle; }
  [[nodiscard]] std::vector<CycleBreakdown> take() { return std::move(breakdown_); }

 private:
  std::vector<Completion> completions_;
  std::vector<CycleBreakdown> breakdown_;
  std::size_t next_ = 0;  ///< In completions_: what is complete next.
};

/// Waiting is not activity, and weights that arrive while the row before still runs do not start a row.
bool is_activity(Span span) {
  const bool is_wait =
      span == Span::stream_waits_ports || (span >= Span::wait_weights && span <= Span::wait_output_space);
  return !is_wait && span != Span::weights_busy;
}

}  // namespace

CycleClass class_of(Span span) {
  return kSpans[static_cast<std::size_t>(span)].cycle_class;
}

std::string_view span_name(Span span) {
  return kSpans[static_cast<std::size_t>(span)].name;
}

std::vector<std::int32_t> completion_order(const std::vector<RowTimes>& rows) {
  std::vector<std::int32_t> order(rows.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, {},
                           [&](std::int32_t row) { return rows[static_cast<std::size_t>(row)].completed; });
  return order;
}

std::vector<std::int32_t> Timeline::completion_order() const {
  return qsim::completion_order(rows_);
}

std::vector<Completion> Timeline::completions() const {
  std::vector<Completion> sorted = completions_;
  std::ranges::stable_sort(
      sorted, {}, [](const Completion& completion) { return std::pair(completion.cycle, completion.row); });
  return sorted;
}

/// An activity belongs to the first stripe that is not complete before its end, in which it counts from the
/// stripe's begin on: inputs may be loaded before.
std::vector<std::int64_t> Timeline::span_cycles() const {
  std::vector<std::vector<Completion>> stripes(rows_.size());
  for (const Completion& completion : completions())
    stripes[static_cast<std::size_t>(completion.row)].push_back(completion);
  std::vector<std::int64_t> cycles;
  std::vector<std::vector<RowTimes>> times(rows_.size());
  for (std::size_t row = 0; row < rows_.size(); ++row) {
    times[row].resize(stripes[row].size());
    cycles.push_back(rows_[row].last - rows_[row].first);
  }
  for (const Interval& interval : intervals_) {
    const auto row = static_cast<std::size_t>(interval.row);
    if (stripes[row].size() < 2 || !is_activity(interval.span)) continue;
    const auto stripe = std::ranges::lower_bound(stripes[row], interval.end, {}, &Completion::cycle);
    if (stripe == stripes[row].end()) continue;
    RowTimes& own = times[row][static_cast<std::size_t>(stripe - stripes[row].begin())];
    const std::int64_t begin = std::max(interval.begin, stripe->begin);
    if (own.first < 0 || begin < own.first) own.first = begin;
    own.last = std::max({own.last, begin, interval.end});
  }
  for (std::size_t row = 0; row < rows_.size(); ++row) {
    if (stripes[row].size() < 2) continue;
    cycles[row] = 0;
    for (const RowTimes& own : times[row]) cycles[row] += own.first < 0 ? 0 : own.last - own.first;
  }
  return cycles;
}

void HeldTiles::hold(Held held, std::int64_t cycle, std::int64_t bytes) {
  tiles_[static_cast<std::size_t>(held)].push_back(bytes);
  timeline_.record_fill({cycle, held, bytes});
}

void HeldTiles::keep(Held held, std::int64_t cycle, std::int64_t bytes) {
  if (held == Held::weights || held == Held::parameters) timeline_.record_fill({cycle, held, bytes});
}

void HeldTiles::release(Held held, std::int64_t cycle) {
  auto& tiles = tiles_[static_cast<std::size_t>(held)];
  if (tiles.empty()) return;
  timeline_.record_fill({cycle, held, -tiles.front()});
  tiles.pop_front();
}

void Timeline::record(Span span, std::int32_t row, std::int64_t begin, std::int64_t end, std::int64_t bytes) {
  if (end <= begin) return;
  intervals_.push_back({begin, end, row, span, bytes});
  if (!is_activity(span)) return;
  extend(row, begin, end);
}

void Timeline::extend(std::int32_t row, std::int64_t begin, std::int64_t end) {
  RowTimes& times = rows_[static_cast<std::size_t>(row)];
  if (times.first < 0 || begin < times.first) times.first = begin;
  times.last = std::max(times.last, end);
}

void Timeline::record_pass(std::int32_t row, const PassTimes& pass) {
  const bool waits = pass.last_step > pass.least_last_step;
  if (waits) {
    record(Span::compute, row, pass.begin, pass.least_last_step);
    record(Span::stream_waits_ports, row, pass.least_last_step, pass.last_step);
  }
  record(Span::compute, row, waits ? pass.last_step : pass.begin, pass.mac_end);
  record(Span::fill_drain, row, pass.mac_end, pass.drained);
}

void Timeline::complete(std::int32_t row, std::int64_t begin, std::int64_t cycle) {
  rows_[static_cast<std::size_t>(row)].completed = cycle;
  completions_.push_back({begin, cycle, row});
}

std::vector<CycleBreakdown> Timeline::classify() const {
  std::vector<Edge> edges;
  edges.reserve(intervals_.size() * 2);
  for (const Interval& interval : intervals_) {
    edges.push_back({interval.begin, static_cast<std::uint8_t>(interval.span), 1});
    edges.push_back({interval.end, static_cast<std::uint8_t>(interval.span), -1});
  }
  std::sort(edges.begin(), edges.end(), [](const Edge& a, const Edge& b) { return a.cycle < b.cycle; });

  RowBooking booking(completions(), rows_.size());
  std::array<std::int32_t, kSpanCount> active{};
  std::int64_t cycle = 0;
  for (const Edge& edge : edges) {
    if (edge.cycle > cycle) {
      std::size_t span = 0;
      while (span < kSpanCount && active[span] == 0) ++span;
      booking.book(cycle, edge.cycle, span < kSpanCount ? kSpans[span].cycle_class : CycleClass::control);
      cycle = edge.cycle;
    }
    active[edge.span] += edge.change;
  }
  booking.book(cycle, booking.end(), CycleClass::control);
  return booking.take();
}

}  // namespace qsim
