// What a program takes, by running it without values.
#pragma once

#include <cstdint>

#include "hw_models/hardware_config.h"
#include "hw_models/program.h"
#include "sim/compiler/energy_rates.h"

namespace qsim {

struct SimulatedCost {
  std::int64_t cycles = 0;
  double energy_pj = 0.0;

  [[nodiscard]] double product() const { return static_cast<double>(cycles) * energy_pj; }
};

/// Of one inference from the beginning, cold.
[[nodiscard]] SimulatedCost simulated_cost(const HardwareConfig& hardware, const Program& program,
                                           const EnergyRates& energies);

}  // namespace qsim
