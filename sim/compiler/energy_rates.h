// What events cost, as plain numbers: who knows the energy table makes them (sim/energy/event_rates.h).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>

#include "hw_models/activity.h"
#include "hw_models/arithmetic/requantize.h"
#include "hw_models/hardware_config.h"

namespace qsim {

/// Unit energies of a row's events.
struct EventRates {
  std::array<double, kEventCount> event_pj{};
  double cycle_pj = 0.0;  ///< Leakage.

  [[nodiscard]] double energy_pj(const Activity& activity, std::int64_t cycles) const {
    double sum = cycle_pj * static_cast<double>(cycles);
    for (std::size_t i = 0; i < kEventCount; ++i)
      sum += event_pj[i] * static_cast<double>(activity.counts[i]);
    return sum;
  }
};

/// What the unit energy of some events depends on.
struct RowPrecision {
  int weight_bits = 0, activation_bits = 0;  ///< 0: of the vector unit.
  std::optional<arithmetic::RoundingProfile> rounding_profile;
  Dataflow dataflow{};  ///< In which its MACs are made.
};

/// Empty: energies are not known.
using EnergyRates = std::function<EventRates(const RowPrecision&)>;

}  // namespace qsim
