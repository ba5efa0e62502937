// Core cycles in SystemC time: one cycle is one unit of the kernel's resolution, so nothing is rounded.
#pragma once

#include <cstdint>
#include <systemc>

namespace qsim {

using Cycle = std::int64_t;

[[nodiscard]] inline Cycle now_cycle() {
  return static_cast<Cycle>(sc_core::sc_time_stamp().value());
}

[[nodiscard]] inline sc_core::sc_time cycles_to_time(Cycle cycles) {
  return sc_core::sc_time::from_value(static_cast<sc_dt::uint64>(cycles));
}

/// Waits in the calling SC_THREAD until `cycle`; returns at once when it has passed.
inline void wait_until(Cycle cycle) {
  const Cycle now = now_cycle();
  if (cycle > now) sc_core::wait(cycles_to_time(cycle - now));
}

}  // namespace qsim
