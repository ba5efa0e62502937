// The energy table: every number of the energy model with its unit, kind and source.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace qsim {

/// One number, or a curve over SRAM capacity, and where it comes from.
struct EnergyEntry {
  std::string key;
  double value = 0.0;                             ///< In `unit`; 0 where the entry is a curve.
  std::vector<std::pair<double, double>> points;  ///< Curve: capacity in KiB, ascending, and value.
  std::string unit;                               ///< "pJ" or "mW"
  std::string kind;                               ///< measured, computed, derived or assumed
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
/// `hardware_file` names what asked for it in messages. Throws InputError with every problem: unknown,
/// missing and repeated keys, units that the model does not expect, negative values, points out of order.
[[nodiscard]] EnergyTable load_energy_table(const std::string& name_or_path,
                                            const std::vector<std::string>& search_dirs,
                                            const std::string& hardware_file);

/// Energy of one access of `width_bits` to an SRAM macro of `capacity_bytes`: the curve's value for 64 bits,
/// interpolated (and continued) linearly in the logarithms of capacity and energy, times the width rule of
/// Accelergy's CACTI plug-in, 0.3 + 0.7 * width_bits / 64.
[[nodiscard]] double sram_access_pj(const EnergyEntry& curve, double capacity_bytes, double width_bits);

}  // namespace qsim
