// Collects the terms of the energy model; knows the table and what the voltage does to it.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "sim/energy/energy_model.h"

namespace qsim {

class TermList {
 public:
  TermList(const EnergyTable& table, double voltage_v)
      : table_(table), voltage_ratio_(voltage_v / table.voltage_v) {}

  /// Dynamic energy: `times` the entry's value, at V^2.
  void dynamic(Component component, const ShownEvent& event, const std::string& key, double times,
               const std::string& part = {}) {
    add(component, event, key, times * table_.at(key).value * voltage_ratio_ * voltage_ratio_, part);
  }
  /// Access of an SRAM of `capacity_bytes`: `access_pj` from the curve `key`, at V^2.
  void sram(Component component, const ShownEvent& event, const std::string& key, double access_pj,
            double capacity_bytes, const std::string& part = {}) {
    add(component, event, key, access_pj * voltage_ratio_ * voltage_ratio_, part,
        is_beyond(table_.at(key), capacity_bytes));
  }
  /// Energy from another supply than the core's.
  void external(Component component, const ShownEvent& event, const std::string& key, double times) {
    add(component, event, key, times * table_.at(key).value, {});
  }
  /// Leakage of `times` pieces for one cycle of `cycle_ns`: mW x ns = pJ, at V.
  void leakage(const ShownEvent& cycle, const std::string& key, double times, double cycle_ns,
               const std::string& part) {
    add(Component::static_power, cycle, key, times * table_.at(key).value * cycle_ns * voltage_ratio_, part);
  }

  [[nodiscard]] bool has(const std::string& key) const { return table_.entries.contains(key); }

  /// In the order of the components.
  std::vector<EnergyTerm> take() {
    std::ranges::stable_sort(terms_, {}, &EnergyTerm::component);
    return std::move(terms_);
  }

 private:
  void add(Component component, const ShownEvent& event, const std::string& key, double unit_pj,
           const std::string& part, bool beyond_curve = false) {
    if (unit_pj == 0.0) return;
    const EnergyEntry& entry = table_.at(key);
    terms_.push_back({component, event, unit_pj, key, entry.kind, entry.source, part, beyond_curve});
  }

  const EnergyTable& table_;
  double voltage_ratio_;
  std::vector<EnergyTerm> terms_;
};

/// What is spent whether or not something is computed (clock, leakage, fixed power, memory in standby), and
/// the wires between the units.
void add_fixed_terms(const HardwareConfig& hardware, const ChipGeometry& geometry, const RunResult& result,
                     TermList& terms);

/// What of it is spent in a cycle in which nothing runs: with `clock_gating` the clock stands still, and the
/// memory refreshes itself.
void add_idle_terms(const HardwareConfig& hardware, const ChipGeometry& geometry, TermList& terms);

}  // namespace qsim
