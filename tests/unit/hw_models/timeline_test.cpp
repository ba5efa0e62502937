#include <catch2/catch.hpp>

#include <numeric>

#include "hw_models/timeline.h"

namespace qsim {
namespace {

std::int64_t cycles(const CycleBreakdown& breakdown, CycleClass c) {
  return breakdown[static_cast<std::size_t>(c)];
}

TEST_CASE("of the classes that apply to a cycle the first in contract order counts") {
  Timeline timeline(1);
  timeline.record(Span::compute, 0, 10, 20);
  timeline.record(Span::fill_drain, 0, 18, 25);
  timeline.record(Span::wait_weights, 0, 0, 12);
  timeline.record(Span::vector, 0, 22, 30);
  timeline.complete(0, 32);
  const CycleBreakdown breakdown = timeline.classify()[0];
  CHECK(cycles(breakdown, CycleClass::wait_weights) == 10);
  CHECK(cycles(breakdown, CycleClass::compute) == 10);
  CHECK(cycles(breakdown, CycleClass::fill_drain) == 5);
  CHECK(cycles(breakdown, CycleClass::vector) == 5);
  CHECK(cycles(breakdown, CycleClass::control) == 2);
  CHECK(std::accumulate(breakdown.begin(), breakdown.end(), std::int64_t{0}) == 32);
}

TEST_CASE("a cycle in which nobody waits by name goes to the transfer under way") {
  Timeline timeline(1);
  timeline.record(Span::stores_busy, 0, 0, 7);
  timeline.record(Span::requantizer_busy, 0, 0, 3);
  timeline.complete(0, 7);
  const CycleBreakdown breakdown = timeline.classify()[0];
  CHECK(cycles(breakdown, CycleClass::wait_requantizer) == 3);
  CHECK(cycles(breakdown, CycleClass::wait_output_space) == 4);
}

TEST_CASE("an interval that crosses a completion is split between the rows") {
  Timeline timeline(2);
  timeline.record(Span::compute, 0, 0, 10);
  timeline.complete(0, 6);
  timeline.complete(1, 10);
  const auto breakdown = timeline.classify();
  CHECK(cycles(breakdown[0], CycleClass::compute) == 6);
  CHECK(cycles(breakdown[1], CycleClass::compute) == 4);
}

TEST_CASE("rows that complete in another order than they are numbered get the cycles that led to them") {
  Timeline timeline(3);
  timeline.record(Span::compute, 1, 0, 4);
  timeline.record(Span::vector, 2, 4, 9);
  timeline.record(Span::compute, 0, 9, 10);
  timeline.complete(1, 4);
  timeline.complete(2, 9);
  timeline.complete(0, 12);
  CHECK(timeline.completion_order() == std::vector<std::int32_t>{1, 2, 0});
  const auto breakdown = timeline.classify();
  CHECK(cycles(breakdown[1], CycleClass::compute) == 4);
  CHECK(cycles(breakdown[2], CycleClass::vector) == 5);
  CHECK(cycles(breakdown[0], CycleClass::compute) == 1);
  CHECK(cycles(breakdown[0], CycleClass::control) == 2);
}

TEST_CASE("waiting and prefetched weights are not activity of a row") {
  Timeline timeline(1);
  timeline.record(Span::weights_busy, 0, 0, 50);
  timeline.record(Span::wait_activations, 0, 50, 60);
  timeline.record(Span::compute, 0, 60, 70);
  timeline.complete(0, 70);
  CHECK(timeline.rows()[0].first == 60);
  CHECK(timeline.rows()[0].last == 70);
}

TEST_CASE("a pass computes until its last step could enter and from when it does") {
  Timeline timeline(1);
  timeline.record_pass(0, {10, 15, 25, 40, 44});
  timeline.complete(0, 44);
  const CycleBreakdown breakdown = timeline.classify()[0];
  CHECK(cycles(breakdown, CycleClass::control) == 10);
  CHECK(cycles(breakdown, CycleClass::compute) == 5 + 15);
  CHECK(cycles(breakdown, CycleClass::wait_ports) == 10);
  CHECK(cycles(breakdown, CycleClass::fill_drain) == 4);
}

TEST_CASE("a stream that ports hold up waits, whatever the pass before still computes; a load does not") {
  Timeline timeline(1);
  timeline.record_pass(0, {0, 9, 9, 20, 30});
  timeline.record_pass(0, {10, 12, 18, 28, 38});
  timeline.record(Span::load_waits_ports, 0, 15, 32);
  timeline.complete(0, 38);
  const CycleBreakdown breakdown = timeline.classify()[0];
  CHECK(cycles(breakdown, CycleClass::compute) == 12 + 10);
  CHECK(cycles(breakdown, CycleClass::wait_ports) == 6 + 4);
  CHECK(cycles(breakdown, CycleClass::fill_drain) == 6);
  CHECK(timeline.rows()[0].first == 0);
  CHECK(timeline.rows()[0].last == 38);
}

TEST_CASE("a row that is complete in stripes has the cycles and the activity of all of them") {
  Timeline timeline(2);
  // Row 0 in [0, 10) and [30, 45), row 1 in [10, 30) and [45, 50). Inputs of the second stripe of row 0 are
  // loaded before it begins.
  timeline.record(Span::compute, 0, 2, 10);
  timeline.complete(0, 0, 10);
  timeline.record(Span::inputs_busy, 0, 12, 20);
  timeline.record(Span::compute, 1, 11, 30);
  timeline.complete(1, 10, 30);
  timeline.record(Span::compute, 0, 33, 45);
  timeline.complete(0, 30, 45);
  timeline.record(Span::vector, 1, 46, 50);
  timeline.complete(1, 45, 50);
  const std::vector<CycleBreakdown> breakdown = timeline.classify();
  CHECK(cycles(breakdown[0], CycleClass::compute) == 8 + 12);
  CHECK(cycles(breakdown[0], CycleClass::control) == 2 + 3);
  CHECK(cycles(breakdown[1], CycleClass::compute) == 19);
  CHECK(cycles(breakdown[1], CycleClass::vector) == 4);
  CHECK(cycles(breakdown[1], CycleClass::control) == 1 + 1);
  // Row 0: 2..10, and from 30 on, when the stripe may begin, to 45.
  CHECK(timeline.span_cycles() == std::vector<std::int64_t>{8 + 15, 19 + 4});
  CHECK(timeline.rows()[0].completed == 45);
  CHECK(timeline.completions().size() == 4);
}

TEST_CASE("tiles leave a buffer in the order in which they came") {
  Timeline timeline(1);
  HeldTiles tiles(timeline);
  tiles.release(Held::weights, 0);  // a slot that starts free
  tiles.hold(Held::weights, 5, 100);
  tiles.hold(Held::inputs, 6, 7);
  tiles.hold(Held::weights, 8, 30);
  tiles.release(Held::weights, 9);
  tiles.release(Held::weights, 9);
  std::vector<std::int64_t> bytes;
  for (const FillChange& change : timeline.fills()) bytes.push_back(change.bytes);
  CHECK(bytes == std::vector<std::int64_t>{100, 7, 30, -100, -30});
}

}  // namespace
}  // namespace qsim
