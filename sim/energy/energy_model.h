// From counted events to energy: energy of a component = sum over its terms of events x unit energy.
//
// docs/energy.md derives every formula. Dynamic unit energies hold at the table's voltage and grow with the
// square of the chip's; leakage grows linearly with it; DRAM has its own supply and stays.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "hw_models/hardware_config.h"
#include "sim/energy/energy_table.h"
#include "sim/energy/events.h"
#include "sim/result.h"

namespace qsim {

/// Components of the energy, in the order of the report.
enum class Component : std::uint8_t {
  mac_array,
  weight_buffer,
  activation_buffer,
  accumulators,
  requantizer,
  zero_point_correction,
  vector_unit,
  dma,
  dram,
  control,
  static_power,  ///< JSON: "static"
  count_
};
inline constexpr std::size_t kComponentCount = static_cast<std::size_t>(Component::count_);
[[nodiscard]] const char* component_name(Component component);

/// One product of the sum: what one event costs a component because of one entry of the table.
struct EnergyTerm {
  Component component{};
  ShownEvent event;
  double unit_pj = 0.0;
  std::string key;     ///< Entry of the table.
  std::string kind;    ///< The entry's.
  std::string source;  ///< The entry's.
};

using EnergyBreakdown = std::array<double, kComponentCount>;  ///< pJ

class EnergyModel {
 public:
  EnergyModel(HardwareConfig hardware, EnergyTable table);

  /// The terms of every event that the run can have counted, in the order of the components.
  [[nodiscard]] std::vector<EnergyTerm> terms(const RunResult& result) const;
  [[nodiscard]] const EnergyTable& table() const { return table_; }
  /// MACs of the chip's array are told apart by dataflow.
  [[nodiscard]] bool has_several_dataflows() const { return hardware_.mac_array.dataflows.size() > 1; }

 private:
  class TermList;
  void add_mac_array(const RunResult& result, TermList& terms) const;
  void add_buffers(TermList& terms) const;
  void add_accumulators(const RunResult& result, TermList& terms) const;
  void add_requantizer(const RunResult& result, TermList& terms) const;
  void add_pool_lines(TermList& terms) const;
  void add_zero_point_correction(TermList& terms) const;
  void add_vector_unit(TermList& terms) const;
  void add_transfers(TermList& terms) const;
  void add_static(TermList& terms) const;

  HardwareConfig hardware_;
  EnergyTable table_;
};

/// Sum of events x unit energy per component.
[[nodiscard]] EnergyBreakdown energy_of(const EventCounts& events, const std::vector<EnergyTerm>& terms);
[[nodiscard]] double total_pj(const EnergyBreakdown& energy);

}  // namespace qsim
