#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "hw_models/dataflow/dataflow_table.h"
#include "sim/energy/term_list.h"

namespace qsim {
namespace {

double lanes(std::int64_t count) {
  return static_cast<double>(count);
}

/// Bits of the pipeline registers of a lane: four stages.
constexpr double kStages = 4.0;

/// Bits of a PE's registers: what moves on, sums, and what stays (twice where the next load goes beside it).
struct PeRegisters {
  double moving = 0.0;
  double staying = 0.0;
};

PeRegisters pe_registers(const HardwareConfig& hardware, Dataflow of) {
  const MacArrayConfig& array = hardware.mac_array;
  const DataflowModel& dataflow = dataflow_model(of, array.organization);
  const double sum_bits =
      dataflow.sum_bits(array, hardware.accumulators.width_bits, array.weight_bits, array.activation_bits);
  const double copies = array.double_buffered_weights ? 2.0 : 1.0;
  PeRegisters bits;
  bits.moving = dataflow.moving_bits(array.weight_bits, array.activation_bits) + sum_bits;
  if (dataflow.stays() == Stays::weights) bits.staying = copies * array.weight_bits;
  if (dataflow.stays() == Stays::inputs) bits.staying = copies * array.activation_bits;
  return bits;
}

/// What any of the dataflows that the array offers has is there.
PeRegisters pe_registers(const HardwareConfig& hardware) {
  PeRegisters most;
  for (const Dataflow of : hardware.mac_array.offered_dataflows()) {
    const PeRegisters bits = pe_registers(hardware, of);
    most.moving = std::max(most.moving, bits.moving);
    most.staying = std::max(most.staying, bits.staying);
  }
  return most;
}

double port_bits(const BufferConfig& buffer) {
  return 8.0 *
         lanes(buffer.read_ports * buffer.read_port_bytes + buffer.write_ports * buffer.write_port_bytes);
}

constexpr double kVectorBits = kStages * 32.0;

double requantizer_bits(const HardwareConfig& hardware) {
  return kStages * hardware.accumulators.width_bits;
}

void clock_registers(const ShownEvent& event, double bits, const std::string& part, TermList& terms) {
  terms.dynamic(Component::clock, event, "clock_bit", bits, part);
}

/// All registers in every cycle of `cycle`.
void add_clocked_registers(const HardwareConfig& hardware, const ShownEvent& cycle, TermList& terms) {
  const MacArrayConfig& array = hardware.mac_array;
  const PeRegisters pe = pe_registers(hardware);
  const double pes = lanes(array.rows * array.columns);
  clock_registers(cycle, pes * (pe.moving + pe.staying), "mac_array", terms);
  clock_registers(cycle, lanes(hardware.requantizer.lanes) * requantizer_bits(hardware), "requantizer",
                  terms);
  clock_registers(cycle, lanes(hardware.vector_unit.lanes) * kVectorBits, "vector_unit", terms);
  clock_registers(cycle, port_bits(hardware.weight_buffer) + port_bits(hardware.activation_buffer), "ports",
                  terms);
}

/// Those of the PEs where the array computes, and a lane's and a port's where it is used.
void add_gated_registers(const HardwareConfig& hardware, TermList& terms) {
  const MacArrayConfig& array = hardware.mac_array;
  const double pes = lanes(array.rows * array.columns);
  clock_registers(compute_cycle_event(), pes * pe_registers(hardware).moving, "mac_array", terms);
  clock_registers(Event::weight_register_writes, array.weight_bits, "mac_array", terms);
  clock_registers(Event::activation_register_writes, array.activation_bits, "mac_array", terms);
  clock_registers(Event::requantizations, requantizer_bits(hardware), "requantizer", terms);
  for (const Event event : {Event::vector_adds, Event::vector_multiplies, Event::vector_lookups})
    clock_registers(event, kVectorBits, "vector_unit", terms);
  for (const Event event : {Event::weight_buffer_read_bytes, Event::weight_buffer_write_bytes,
                            Event::activation_buffer_read_bytes, Event::activation_buffer_write_bytes}) {
    clock_registers(event, 8.0, "ports", terms);
  }
}

// The tree reaches every part of the chip in every cycle.
void add_tree(const ChipGeometry& geometry, const ShownEvent& cycle, TermList& terms) {
  terms.dynamic(Component::clock, cycle, "clock_tree_mm2", geometry.cell_mm2, "tree");
}

// What leaves a buffer goes half a side to the array or the vector unit, and as far back; what the DMA moves
// comes from the edge, a whole side.
void add_wires(const ChipGeometry& geometry, TermList& terms) {
  constexpr auto component = Component::wires;
  const double side_mm = geometry.side_mm();
  const auto add = [&](Event bytes, double length_mm, const std::string& part) {
    terms.dynamic(component, bytes, "wire_bit_mm", 8.0 * length_mm, part);
  };
  add(Event::weight_buffer_read_bytes, side_mm / 2.0, "weight_buffer");
  add(Event::activation_buffer_read_bytes, side_mm / 2.0, "activation_buffer");
  add(Event::activation_buffer_write_bytes, side_mm / 2.0, "activation_buffer");
  add(Event::dma_bytes, side_mm, "dma");
}

// One device type for all that leaks: each part by its area.
void add_leakage(const ChipGeometry& geometry, const ShownEvent& cycle, double cycle_ns, TermList& terms) {
  for (std::size_t i = 0; i < kComponentCount; ++i) {
    const auto component = static_cast<Component>(i);
    if (component != Component::wires)
      terms.leakage(cycle, "leakage_mm2", geometry.area_mm2[i], cycle_ns, component_name(component));
  }
}

double cycle_ns_of(const HardwareConfig& hardware) {
  return 1e6 / static_cast<double>(hardware.clock_khz);
}

/// Leakage, controller and pads: they never rest.
void add_always(const HardwareConfig& hardware, const ChipGeometry& geometry, const ShownEvent& cycle,
                TermList& terms) {
  add_leakage(geometry, cycle, cycle_ns_of(hardware), terms);
  terms.dynamic(Component::control, cycle, "control_cycle", 1.0);
  terms.external(Component::control, cycle, "interface_power", cycle_ns_of(hardware));
}

/// The memory's own power, mW for each GB/s that it could carry.
void add_memory_power(const HardwareConfig& hardware, const ShownEvent& cycle, const std::string& key,
                      TermList& terms) {
  const auto bytes_per_second = static_cast<double>(hardware.dram.bandwidth_bytes_per_second +
                                                    hardware.dram.write_bandwidth_bytes_per_second);
  terms.external(Component::dram, cycle, key, bytes_per_second * 1e-9 * cycle_ns_of(hardware));
}

std::string memory_name(const HardwareConfig& hardware) {
  return kMemoryDeviceNames[static_cast<std::size_t>(hardware.dram.device)];
}

}  // namespace

void add_fixed_terms(const HardwareConfig& hardware, const ChipGeometry& geometry, TermList& terms) {
  add_tree(geometry, cycle_event(), terms);
  if (hardware.clock_gating) {
    add_gated_registers(hardware, terms);
  } else {
    add_clocked_registers(hardware, cycle_event(), terms);
  }
  add_wires(geometry, terms);
  add_always(hardware, geometry, cycle_event(), terms);
  if (hardware.dram.kind == DramKind::none) return;
  add_memory_power(hardware, cycle_event(), memory_name(hardware) + "_background", terms);
}

void add_idle_terms(const HardwareConfig& hardware, const ChipGeometry& geometry, TermList& terms) {
  const ShownEvent cycle = idle_cycle_event();
  if (!hardware.clock_gating) {
    add_tree(geometry, cycle, terms);
    add_clocked_registers(hardware, cycle, terms);
  }
  add_always(hardware, geometry, cycle, terms);
  if (hardware.dram.kind == DramKind::none) return;
  const std::string asleep = memory_name(hardware) + "_self_refresh";
  const bool is_known = terms.has(asleep);
  add_memory_power(hardware, cycle, is_known ? asleep : memory_name(hardware) + "_background", terms);
}

}  // namespace qsim
