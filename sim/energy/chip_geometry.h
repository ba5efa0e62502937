// Areas and lengths of a chip, from the table's areas: what wires, clock tree and leakage are reckoned from.
#pragma once

#include "hw_models/hardware_config.h"
#include "sim/energy/component.h"
#include "sim/energy/energy_table.h"

namespace qsim {

struct ChipGeometry {
  AreaBreakdown area_mm2{};  ///< `wires` included: tracks of the buses.
  double cell_mm2 = 0.0;     ///< All but the wires, which lie above.
  double pe_pitch_mm = 0.0;  ///< Side of a PE.

  /// Side of the chip as a square of its cells.
  [[nodiscard]] double side_mm() const;
};

/// docs/energy.md has the formulas.
[[nodiscard]] ChipGeometry chip_geometry(const HardwareConfig& hardware, const EnergyTable& table);

/// Bytes of a bank, a macro of its own.
[[nodiscard]] double bank_capacity_bytes(const BufferConfig& buffer);
/// Bytes of a column of accumulators, a macro of its own.
[[nodiscard]] double accumulator_column_bytes(const HardwareConfig& hardware);

/// Length of the way from a bank to the buffer's port, an H-tree over the square of all banks and half a side
/// from its middle to the edge: 1.5 s (1 - 1/sqrt(banks)), s = sqrt(banks x area of a bank). A single bank
/// has its port itself.
[[nodiscard]] double bank_wire_mm(const BufferConfig& buffer, const EnergyTable& table);

}  // namespace qsim
