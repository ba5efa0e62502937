// How closely the MAC array is simulated.
#pragma once

#include <cstdint>

namespace qsim {

/// Outputs, cycles and events of both are equal (docs/timing.md).
enum class Fidelity : std::uint8_t {
  tile,  ///< Closed forms, a pass at a time.
  pe,    ///< Every PE and register, every cycle.
};

}  // namespace qsim
