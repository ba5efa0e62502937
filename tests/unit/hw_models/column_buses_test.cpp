#include "hw_models/core/column_buses.h"

#include <catch2/catch.hpp>

namespace qsim {
namespace {

/// Sums in cycles 3 to 6 after the pass begins, those of the second group 4 later; its last step is in
/// cycle 2.
PassTiming pass() {
  PassTiming timing;
  timing.last_step_cycle = 2;
  timing.first_sum_cycle = 3;
  timing.bus_cycles = 4;
  timing.group_cycles = 4;
  return timing;
}

TEST_CASE("a pass begins so late that its sums find their buses free, each group's its own") {
  ColumnBuses buses;
  CHECK(buses.earliest_begin(10, 2, pass()) == 10);
  buses.occupy(12, 2, pass());  // sums of the groups in cycles 13 to 16 and 17 to 20
  CHECK(buses.earliest_begin(11, 2, pass()) == 14);
  CHECK(buses.earliest_begin(15, 2, pass()) == 15);
  // Only the first group, whose sums come a cycle later than those of the pass before.
  PassTiming late = pass();
  late.first_sum_cycle = 4;
  CHECK(buses.earliest_begin(11, 1, late) == 13);
  // Steps that stood still move the sums with the last one.
  buses.occupy(20, 1, pass());  // sums in cycles 21 to 24
  CHECK(buses.earliest_begin(11, 1, pass()) == 22);
}

}  // namespace
}  // namespace qsim
