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
#include "sim/energy/chip_geometry.h"
#include "sim/energy/component.h"
#include "sim/energy/energy_table.h"
#include "sim/energy/events.h"
#include "sim/result.h"

namespace qsim {

/// One product of the sum: what one event costs a component because of one entry of the table.
struct EnergyTerm {
  Component component{};
  ShownEvent event;
  double unit_pj = 0.0;
  std::string key;     ///< Entry of the table.
  std::string kind;    ///< The entry's.
  std::string source;  ///< The entry's.
  std::string part{};  ///< Of what, where a component has several: "pes", "between banks". May be empty.
  bool beyond_curve = false;  ///< The entry is a curve that ends before the capacity.
};

using EnergyBreakdown = std::array<double, kComponentCount>;  ///< pJ

class TermList;

class EnergyModel {
 public:
  EnergyModel(HardwareConfig hardware, EnergyTable table);

  /// The terms of every event that the run can have counted, in the order of the components.
  [[nodiscard]] std::vector<EnergyTerm> terms(const RunResult& result) const;
  /// The terms of a chip that waits for its next inference; their event is idle_cycle_event().
  [[nodiscard]] std::vector<EnergyTerm> idle_terms() const;
  [[nodiscard]] const EnergyTable& table() const { return table_; }
  /// Areas, of each component that has one.
  [[nodiscard]] const AreaBreakdown& area_mm2() const { return geometry_.area_mm2; }
  /// Lines for people: curves that are used beyond their ends, and a clock that the voltage does not allow.
  [[nodiscard]] std::vector<std::string> remarks() const;
  /// MACs of the chip's array are told apart by dataflow.
  [[nodiscard]] bool has_several_dataflows() const { return hardware_.mac_array.dataflows.size() > 1; }

  /// Cycles of rows are told apart by their widths.
  [[nodiscard]] bool is_built_for_layer() const;

  /// Of a full array.
  [[nodiscard]] double macs_per_cycle(int weight_bits, int activation_bits) const {
    const MacArrayConfig& array = hardware_.mac_array;
    return static_cast<double>(array.rows * array.columns * array.macs_a_pe(weight_bits, activation_bits)) /
           static_cast<double>(array.cycles_per_mac(weight_bits, activation_bits));
  }

 private:
  void add_mac_array(const RunResult& result, TermList& terms) const;
  void add_buffers(TermList& terms) const;
  void add_accumulators(const RunResult& result, TermList& terms) const;
  void add_requantizer(const RunResult& result, TermList& terms) const;
  void add_pool_lines(TermList& terms) const;
  void add_block_outputs(TermList& terms) const;
  void add_zero_point_correction(TermList& terms) const;
  void add_vector_unit(TermList& terms) const;
  void add_transfers(TermList& terms) const;

  HardwareConfig hardware_;
  EnergyTable table_;
  ChipGeometry geometry_;
};

/// Sum of events x unit energy per component.
[[nodiscard]] EnergyBreakdown energy_of(const EventCounts& events, const std::vector<EnergyTerm>& terms);
[[nodiscard]] double total_pj(const EnergyBreakdown& energy);
[[nodiscard]] double total_mm2(const AreaBreakdown& area);

}  // namespace qsim
