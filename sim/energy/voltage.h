// What clock a node allows at a voltage.
#pragma once

#include <string>

#include "hw_models/hardware_config.h"
#include "sim/energy/energy_table.h"

namespace qsim {

/// The fastest clock of a MAC's stage in kHz; docs/energy.md has sources.
///
///   f(V) = f(V_table) * ((V - V_t)^1.3 / V) / ((V_table - V_t)^1.3 / V_table),  V_t = 0.3 V
///   f(V_table) = 1 / (30 FO4),  FO4 = 0.5 ps a nm
///
/// The alpha-power law of T. Sakurai and R. Newton, IEEE JSSC 25(2), 1990. 0 at V_t and below.
[[nodiscard]] double most_clock_khz(double technology_nm, double table_v, double voltage_v);

/// A line for people where the chip's clock is faster; empty else.
[[nodiscard]] std::string clock_remark(const HardwareConfig& hardware, const EnergyTable& table);

}  // namespace qsim
