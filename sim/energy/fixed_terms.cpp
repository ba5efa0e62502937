#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <utility>

#include "hw_models/dataflow/dataflow_table.h"
#include "hw_models/dataflow/precision_style.h"
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

/// Of a PE whose operands have these bits.
PeRegisters pe_registers(const HardwareConfig& hardware, Dataflow of, const MacArrayConfig& array) {
  const DataflowModel& dataflow = dataflow_model(of, array.organization);
  const PrecisionModel& precision = precision_model(array);
  const OperandBits operands = precision.operand_bits(array);
  const double sum_bits =
      dataflow.sum_bits(array, hardware.accumulators.width_bits, array.weight_bits, array.activation_bits);
  const double copies = array.double_buffered_weights ? 2.0 : 1.0;
  PeRegisters bits;
  bits.moving = dataflow.moving_bits(operands.weight, operands.activation) + sum_bits +
                precision.built(array).serial_bits;
  if (dataflow.stays() == Stays::weights) bits.staying = copies * operands.weight;
  if (dataflow.stays() == Stays::inputs) bits.staying = copies * operands.activation;
  return bits;
}

/// What any of the dataflows that the array offers has is there.
PeRegisters pe_registers(const HardwareConfig& hardware, const MacArrayConfig& array) {
  PeRegisters most;
  for (const Dataflow of : hardware.mac_array.offered_dataflows()) {
    const PeRegisters bits = pe_registers(hardware, of, array);
    most.moving = std::max(most.moving, bits.moving);
    most.staying = std::max(most.staying, bits.staying);
  }
  return most;
}

double port_bits(const BufferConfig& buffer) {
  return 8.0 *
         lanes(buffer.read_ports * buffer.read_port_bytes + buffer.write_ports * buffer.write_port_bytes);
}

/// Of an array that is built for each layer: its registers have the layer's widths while the layer runs.
void add_layer_registers(const HardwareConfig& hardware, const RunResult& result, TermList& terms) {
  std::set<std::pair<int, int>> widths;
  for (const LayerResult& layer : result.layers) {
    if (layer.weight_bits > 0) widths.emplace(layer.weight_bits, layer.activation_bits);
  }
  const double pes = lanes(hardware.mac_array.rows * hardware.mac_array.columns);
  for (const auto& [weight_bits, activation_bits] : widths) {
    MacArrayConfig array = hardware.mac_array;
    array.weight_bits = std::min(weight_bits, array.weight_bits);
    array.activation_bits = std::min(activation_bits, array.activation_bits);
    const PeRegisters pe = pe_registers(hardware, array);
    const bool is_gated = hardware.clock_gating;
    terms.dynamic(Component::clock,
                  is_gated ? compute_cycle_event(weight_bits, activation_bits)
                           : cycle_event(weight_bits, activation_bits),
                  "clock_bit", pes * (is_gated ? pe.moving : pe.moving + pe.staying), "mac_array");
  }
}

/// Of what stays, clocked when it is written: the array's width, or the operand's where registers have it.
void add_gated_writes(const MacArrayConfig& array, const RunResult& result, TermList& terms) {
  const auto add = [&](const ShownEvent& event, double bits) {
    terms.dynamic(Component::clock, event, "clock_bit", bits, "mac_array");
  };
  if (!precision_model(array).registers_fit_operands()) {
    add(Event::weight_register_writes, array.weight_bits);
    add(Event::activation_register_writes, array.activation_bits);
    return;
  }
  std::set<int> weight_bits;
  std::set<int> activation_bits;
  for (const LayerResult& layer : result.layers) {
    if (layer.activity[Event::weight_register_writes] != 0) weight_bits.insert(layer.weight_bits);
    if (layer.activity[Event::activation_register_writes] != 0) activation_bits.insert(layer.activation_bits);
  }
  for (const int bits : weight_bits) add(weight_register_event(bits), bits);
  for (const int bits : activation_bits) add(activation_register_event(bits), bits);
}

constexpr double kVectorBits = kStages * 32.0;

double requantizer_bits(const HardwareConfig& hardware) {
  return kStages * hardware.accumulators.width_bits;
}

void clock_registers(const ShownEvent& event, double bits, const std::string& part, TermList& terms) {
  terms.dynamic(Component::clock, event, "clock_bit", bits, part);
}

/// All registers in every cycle of `cycle`, but those that are as wide as the layer that runs.
void add_clocked_registers(const HardwareConfig& hardware, const ShownEvent& cycle, TermList& terms) {
  const MacArrayConfig& array = hardware.mac_array;
  const PeRegisters pe = pe_registers(hardware, array);
  const double pes = lanes(array.rows * array.columns);
  if (!precision_model(array).is_built_for_layer())
    clock_registers(cycle, pes * (pe.moving + pe.staying), "mac_array", terms);
  clock_registers(cycle, lanes(hardware.requantizer.lanes) * requantizer_bits(hardware), "requantizer",
                  terms);
  clock_registers(cycle, lanes(hardware.vector_unit.lanes) * kVectorBits, "vector_unit", terms);
  clock_registers(cycle, port_bits(hardware.weight_buffer) + port_bits(hardware.activation_buffer), "ports",
                  terms);
}

/// Those of the PEs where the array computes, and a lane's and a port's where it is used.
void add_gated_registers(const HardwareConfig& hardware, const RunResult& result, TermList& terms) {
  const MacArrayConfig& array = hardware.mac_array;
  const double pes = lanes(array.rows * array.columns);
  if (!precision_model(array).is_built_for_layer())
    clock_registers(compute_cycle_event(), pes * pe_registers(hardware, array).moving, "mac_array", terms);
  add_gated_writes(array, result, terms);
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

void add_fixed_terms(const HardwareConfig& hardware, const ChipGeometry& geometry, const RunResult& result,
                     TermList& terms) {
  add_tree(geometry, cycle_event(), terms);
  if (precision_model(hardware.mac_array).is_built_for_layer()) add_layer_registers(hardware, result, terms);
  if (hardware.clock_gating) {
    add_gated_registers(hardware, result, terms);
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
