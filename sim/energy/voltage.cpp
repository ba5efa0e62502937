#include "sim/energy/voltage.h"

#include <fmt/format.h>

#include <cmath>

namespace qsim {
namespace {

constexpr double kAlpha = 1.3;         // velocity saturation, of short channels
constexpr double kThresholdV = 0.3;    // assumed for all nodes
constexpr double kFo4PsPerNm = 0.5;    // delay of an inverter with a fan-out of four
constexpr double kFo4PerStage = 30.0;  // assumed: a multiplier of 8 x 8 bits, an adder of 32, a register

/// What the law makes the speed proportional to.
double drive(double voltage_v) {
  return voltage_v > kThresholdV ? std::pow(voltage_v - kThresholdV, kAlpha) / voltage_v : 0.0;
}

}  // namespace

double most_clock_khz(double technology_nm, double table_v, double voltage_v) {
  const double at_table_khz = 1e9 / (kFo4PerStage * kFo4PsPerNm * technology_nm);
  const double nominal = drive(table_v);
  return nominal > 0.0 ? at_table_khz * drive(voltage_v) / nominal : at_table_khz;
}

std::string clock_remark(const HardwareConfig& hardware, const EnergyTable& table) {
  const double most_khz = most_clock_khz(table.technology_nm, table.voltage_v, hardware.voltage_v);
  const auto clock_khz = static_cast<double>(hardware.clock_khz);
  if (clock_khz <= most_khz) return {};
  return fmt::format(
      "a clock of {:g} MHz is beyond the {:.0f} MHz that {:g} V allow at {:g} nm (alpha-power law): energy "
      "is "
      "that of a chip which does not run",
      clock_khz / 1e3, most_khz / 1e3, hardware.voltage_v, table.technology_nm);
}

}  // namespace qsim
