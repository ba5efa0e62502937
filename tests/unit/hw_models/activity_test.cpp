#include "hw_models/activity.h"

#include <catch2/catch.hpp>
#include <set>
#include <string>

namespace qsim {

TEST_CASE("every event has a name of its own and says what one count is") {
  std::set<std::string_view> names;
  for (const EventRow& row : kEvents) {
    CHECK(names.insert(row.name).second);
    CHECK(event_name(row.event) == row.name);
    CHECK_FALSE(row.unit.empty());
  }
  CHECK(names.size() == kEventCount);
}

TEST_CASE("a row is bound by the group of classes with the most of its cycles") {
  CycleBreakdown cycles{};
  const auto at = [&](CycleClass c) -> std::int64_t& { return cycles[static_cast<std::size_t>(c)]; };
  at(CycleClass::wait_weights) = 9;
  CHECK(bound_of(cycles) == Bound::weights);
  // 4 + 4 + 2 > 9: what fills, drains and loads the array belongs to computing.
  at(CycleClass::compute) = 4;
  at(CycleClass::fill_drain) = 4;
  at(CycleClass::weight_load) = 2;
  CHECK(bound_of(cycles) == Bound::compute);
  at(CycleClass::wait_accumulators) = 3;
  at(CycleClass::wait_requantizer) = 4;
  at(CycleClass::wait_output_space) = 4;
  CHECK(bound_of(cycles) == Bound::outputs);
  at(CycleClass::host) = 12;
  CHECK(bound_of(cycles) == Bound::host);
  at(CycleClass::vector) = 12;
  CHECK(bound_of(cycles) == Bound::vector);  // of equal groups the first
}

TEST_CASE("cycles of control bind nothing") {
  CycleBreakdown cycles{};
  cycles[static_cast<std::size_t>(CycleClass::control)] = 100;
  CHECK(bound_of(cycles) == Bound::compute);
  cycles[static_cast<std::size_t>(CycleClass::wait_activations)] = 1;
  CHECK(bound_of(cycles) == Bound::activations);
  CHECK(bound_name(Bound::activations) == "activations");
}

TEST_CASE("a window is a difference of counters") {
  Activity before, after;
  before[Event::macs] = 3;
  after[Event::macs] = 10;
  after[Event::commands] = 2;
  after -= before;
  CHECK(after[Event::macs] == 7);
  after += before;
  CHECK(after[Event::macs] == 10);
  CHECK(after[Event::commands] == 2);
}

}  // namespace qsim
