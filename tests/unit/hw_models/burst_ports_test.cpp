// Bursts and reads at the bank ports of a buffer, cycle by cycle.
#include "hw_models/core/burst_ports.h"

#include <catch2/catch.hpp>
#include <limits>

namespace qsim {
namespace {

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

TEST_CASE("where nobody waits a burst has the ports at once") {
  BurstPorts ports(Arbitration::fixed);
  bool accepted = false;
  ports.arrive(5, 3, [&] { accepted = true; });
  CHECK(accepted);
  CHECK_FALSE(ports.is_taken(5));
  CHECK(ports.next_taken(5) == kNever);
}

TEST_CASE("where writes go first the beats take the cycles after the arrival, one burst behind the other") {
  int taken = 0;
  BurstPorts ports(Arbitration::write_first, [&] { ++taken; });
  int accepted = 0;
  ports.arrive(5, 3, [&] { ++accepted; });  // cycles 6 to 8
  ports.arrive(6, 2, [&] { ++accepted; });  // 9 and 10: accepted in 8
  CHECK(taken == 2);
  CHECK(accepted == 1);
  CHECK_FALSE(ports.is_taken(5));
  for (const std::int64_t cycle : {6, 7, 8, 9, 10}) CHECK(ports.is_taken(cycle));
  CHECK_FALSE(ports.is_taken(11));
  CHECK(ports.next_begin() == 8);
  ports.begin(7);
  CHECK(accepted == 1);
  ports.begin(8);
  CHECK(accepted == 2);
  CHECK(ports.next_taken(10) == 10);
  CHECK(ports.next_taken(11) == kNever);
}

TEST_CASE("where reads go first a burst waits for the end of the read, and for the cycle after its arrival") {
  BurstPorts ports(Arbitration::read_first);
  int accepted = 0;
  ports.set_read(true);
  ports.arrive(5, 3, [&] { ++accepted; });
  ports.accept_waiting(5);  // arrived in this cycle: not yet
  CHECK(accepted == 0);
  ports.arrive(6, 2, [&] { ++accepted; });
  ports.accept_waiting(9);
  CHECK(accepted == 1);  // cycles 9 to 11
  CHECK(ports.next_begin() == 12);
  CHECK(ports.free_from() == 14);
  CHECK_FALSE(ports.is_taken(9));  // nothing stands still: the read has not begun
  ports.begin(12);
  CHECK(accepted == 2);
}

}  // namespace
}  // namespace qsim
