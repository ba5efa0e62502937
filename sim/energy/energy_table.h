// The energy table: every number of the energy model with its unit, kind and source.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "hw_models/hardware_config.h"

namespace qsim {

/// One number, or a curve over SRAM capacity, and where it comes from.
struct EnergyEntry {
  std::string key;
  double value = 0.0;                             ///< In `unit`; 0 where the entry is a curve.
  std::vector<std::pair<double, double>> points;  ///< Curve: capacity in KiB, ascending, and value.
  std::string unit;                               ///< As energy_keys.h has it.
  std::string kind;                               ///< One of energy_entry_kinds(), or "override".
  std::string condition;                          ///< Width, capacity, node, voltage at which it holds.
  std::string source;  ///< Publication and table, tool and settings, or the assumption.
};

struct EnergyTable {
  std::string name;
  double technology_nm = 0.0;
  double voltage_v = 0.0;  ///< Supply at which the values hold.
  std::map<std::string, EnergyEntry> entries;

  /// Entry of a key; load_energy_table has checked that every key of the model is there.
  [[nodiscard]] const EnergyEntry& at(const std::string& key) const;
};

/// Reads a table by path or shipped name; `search_dirs` are the folders that hold the shipped tables,
/// `hardware_file` names what asked for it in messages. A table that `extends` another (relative to its own
/// file, or a shipped name) has that one's entries where it has none of its own. Throws InputError with every
/// problem: unknown, missing and repeated keys, units that the model does not expect, negative values, points
/// out of order, cycles of tables.
[[nodiscard]] EnergyTable load_energy_table(const std::string& name_or_path,
                                            const std::vector<std::string>& search_dirs,
                                            const std::string& hardware_file);

/// The table that the chip names, with its energy_overrides. Throws InputError where an override is of no
/// entry, or a buffer's curve is not in the table, naming the field of `hardware_file`.
[[nodiscard]] EnergyTable chip_energy_table(const HardwareConfig& hardware,
                                            const std::vector<std::string>& search_dirs,
                                            const std::string& hardware_file);

/// The curve's value at a capacity: interpolated linearly in the logarithms of both, and continued so beyond
/// its ends. An entry with one value has it at every capacity.
[[nodiscard]] double curve_value(const EnergyEntry& curve, double capacity_bytes);
/// Whether the capacity lies beyond an end of the curve.
[[nodiscard]] bool is_beyond(const EnergyEntry& curve, double capacity_bytes);

/// Energy of one access of `width_bits` to an SRAM macro of `capacity_bytes`: the curve's value for 64 bits
/// times the width rule of Accelergy's CACTI plug-in, 0.3 + 0.7 * width_bits / 64.
[[nodiscard]] double sram_access_pj(const EnergyEntry& curve, double capacity_bytes, double width_bits);

}  // namespace qsim
