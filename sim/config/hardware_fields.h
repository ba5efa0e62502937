// Every field of the hardware JSON: key, struct member and range, in one list.
//
// The reader, the writer, `--set` and the schema's test all walk it, so that none of them can forget a field.
// Rules between fields are in hardware_rules.h; meanings and units are in
// configs/schemas/hardware.schema.json.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hw_models/dataflow/dataflow_table.h"
#include "hw_models/dataflow/precision_style.h"
#include "hw_models/hardware_config.h"
#include "hw_models/memory/make_memory.h"

namespace qsim {

// JSON spellings, in the order of the enumerators.
inline const std::vector<std::string> kOrganizationNames = {"systolic", "dot_product"};
inline const std::vector<std::string> kDataflowNames = dataflow_names();
inline const std::vector<std::string> kPrecisionStyleNames = precision_style_names();
inline const std::vector<std::string> kReductionNames = {"packed", "per_tap"};
inline const std::vector<std::string> kArbitrationNames = {"fixed", "write_first", "read_first"};
inline const std::vector<std::string> kOverflowNames = {"wrap", "saturate", "trap"};
inline const std::vector<std::string> kWeightPrefetchNames = {"halves", "ring"};
inline const std::vector<std::string> kChannelOrderNames = {"round_robin", "fixed"};
inline const std::vector<std::string> kPassOrderNames = {"even", "full"};
inline const std::vector<std::string> kMemoryDevices{kMemoryDeviceNames.begin(), kMemoryDeviceNames.end()};
inline const std::vector<std::string> kFixedLoopOrderNames = {"any", "weights_outer", "activations_outer"};
/// "auto", then the profiles in the order of arithmetic::RoundingProfile.
inline const std::vector<std::string> kRoundingProfileNames = {"auto",
                                                               "float32",
                                                               "fixed_point_double_rounding",
                                                               "fixed_point_single_rounding",
                                                               "fixed_point_16bit_multiplier",
                                                               "float64",
                                                               "power_of_two"};
/// In the order of arithmetic::ShiftRounding.
inline const std::vector<std::string> kShiftRoundingNames = {"half_up", "half_away", "half_even", "truncate"};

template <typename Buffer, typename Visitor>
void visit_buffer_fields(const std::string& key, Buffer& buffer, bool has_activations, Visitor& visit) {
  visit.begin(key);
  visit.integer("capacity_kib", buffer.capacity_kib, 1, 1'048'576);
  visit.integer("banks", buffer.banks, 1, 1024);
  visit.integer("read_port_bytes", buffer.read_port_bytes, 1, 65'536);
  visit.integer("write_port_bytes", buffer.write_port_bytes, 1, 65'536);
  visit.boolean("double_buffered", buffer.double_buffered);
  visit.integer("read_ports", buffer.read_ports, 1, 1024);
  visit.integer("write_ports", buffer.write_ports, 1, 1024);
  visit.boolean("bank_conflicts", buffer.bank_conflicts);
  visit.choice("arbitration", buffer.arbitration, kArbitrationNames);
  if (has_activations) visit.boolean("line_buffer", buffer.line_buffer);
  visit.text("curve", buffer.curve);
  visit.end();
}

template <typename MacArray, typename Visitor>
void visit_mac_array_fields(MacArray& mac_array, Visitor& visit) {
  visit.begin("mac_array");
  visit.integer("rows", mac_array.rows, 1, 4096);
  visit.integer("columns", mac_array.columns, 1, 4096);
  visit.choice("organization", mac_array.organization, kOrganizationNames);
  visit.choice_or_list("dataflow", mac_array.dataflow, "dataflows", mac_array.dataflows, kDataflowNames);
  visit.choice("reduction", mac_array.reduction, kReductionNames);
  visit.integer_or_auto("adder_tree_cycles", mac_array.adder_tree_cycles, 0, 64);
  visit.boolean("double_buffered_weights", mac_array.double_buffered_weights);
  visit.integer("weight_bits", mac_array.weight_bits, 1, 16);
  visit.integer("activation_bits", mac_array.activation_bits, 1, 16);
  visit.end();
}

template <typename Dma, typename Visitor>
void visit_dma_fields(Dma& dma, Visitor& visit) {
  visit.begin("dma");
  visit.integer("transaction_bytes", dma.transaction_bytes, 1, 1'048'576);
  visit.integer("setup_cycles", dma.setup_cycles, 0, 1'000'000);
  visit.choice("weight_prefetch", dma.weight_prefetch, kWeightPrefetchNames);
  visit.choice("channel_order", dma.channel_order, kChannelOrderNames);
  visit.integer("weight_granule_bytes", dma.weight_granule_bytes, 1, 65'536);
  visit.integer("pixel_granule_bytes", dma.pixel_granule_bytes, 1, 4096);
  visit.boolean("skips_pixels", dma.skips_pixels);
  visit.integer("weight_ready_cycles", dma.weight_ready_cycles, 0, 1'000'000);
  visit.integer("input_ready_cycles", dma.input_ready_cycles, 0, 1'000'000);
  visit.integer("line_gap_cycles", dma.line_gap_cycles, 0, 1'000'000);
  visit.integer("upper_atom_gap_cycles", dma.upper_atom_gap_cycles, 0, 1'000'000);
  visit.end();
}

template <typename Dram, typename Visitor>
void visit_dram_fields(Dram& dram, Visitor& visit) {
  visit.begin("dram");
  visit.choice("kind", dram.kind, memory_kind_names());
  visit.scaled("bandwidth_gb_per_s", dram.bandwidth_bytes_per_second, 1'000'000'000, 1'000'000,
               100'000'000'000'000);
  visit.integer("latency_cycles", dram.latency_cycles, 0, 1'000'000);
  visit.scaled("write_bandwidth_gb_per_s", dram.write_bandwidth_bytes_per_second, 1'000'000'000, 0,
               100'000'000'000'000);
  visit.integer("write_latency_cycles", dram.write_latency_cycles, 0, 1'000'000);
  visit.integer("burst_bytes", dram.burst_bytes, 1, 4096);
  visit.integer("outstanding_requests", dram.outstanding_requests, 1, 65'536);
  visit.integer("capacity_mib", dram.capacity_mib, 1, 1'048'576);
  visit.choice("device", dram.device, kMemoryDevices);
  visit.end();
}

/// Calls one method of `visit` a field, `begin`/`end` around each section:
/// text(key, member), number(key, member, min, max), integer(key, member, min, max), boolean(key, member),
/// choice(key, member, names), choice_or_list(key, member, list_key, list, names) of either of two keys,
/// values(key, member) of numbers by name, choice_or_auto(key, member, names), integer_or_auto(key, member,
/// min, max), and scaled(key, member, factor, min, max) where the member is the JSON number times `factor`, a
/// whole number from min to max.
template <typename Hardware, typename Visitor>
void visit_hardware_fields(Hardware& hardware, Visitor& visit) {
  visit.text("name", hardware.name);
  visit.scaled("clock_mhz", hardware.clock_khz, 1000, 1, 100'000'000);
  visit.number("voltage_v", hardware.voltage_v, 0.1, 5.0);
  visit.boolean("clock_gating", hardware.clock_gating);
  visit_mac_array_fields(hardware.mac_array, visit);
  visit.begin("precision");
  visit.choice("style", hardware.mac_array.precision_style, kPrecisionStyleNames);
  visit.end();
  visit_buffer_fields("weight_buffer", hardware.weight_buffer, false, visit);
  visit_buffer_fields("activation_buffer", hardware.activation_buffer, true, visit);

  visit.begin("accumulators");
  visit.integer("width_bits", hardware.accumulators.width_bits, 8, 64);
  visit.integer("entries", hardware.accumulators.entries, 1, 1'048'576);
  visit.choice("overflow", hardware.accumulators.overflow, kOverflowNames);
  visit.boolean("double_buffered", hardware.accumulators.double_buffered);
  visit.integer("update_cycles", hardware.accumulators.update_cycles, 1, 16);
  visit.integer("read_out_entries", hardware.accumulators.read_out_entries, 0, 4096);
  visit.boolean("spill", hardware.accumulators.spill);
  visit.text("curve", hardware.accumulators.curve);
  visit.end();

  visit.begin("requantizer");
  visit.integer("lanes", hardware.requantizer.lanes, 1, 4096);
  visit.integer("latency_cycles", hardware.requantizer.latency_cycles, 0, 1'000'000);
  visit.choice_or_auto("rounding_profile", hardware.requantizer.rounding_profile, kRoundingProfileNames);
  visit.choice("shift_rounding", hardware.requantizer.shift_rounding, kShiftRoundingNames);
  visit.integer("multiplier_bits", hardware.requantizer.multiplier_bits, 8, 32);
  visit.integer("row_read_cycles", hardware.requantizer.row_read_cycles, 0, 1'000'000);
  visit.integer("turnaround_cycles", hardware.requantizer.turnaround_cycles, 0, 1'000'000);
  visit.boolean("writes_through", hardware.requantizer.writes_through);
  visit.boolean("fused_add", hardware.requantizer.fused_add);
  visit.integer("group_multiplier_bits", hardware.requantizer.group_multiplier_bits, 0, 15);
  visit.boolean("fused_pool", hardware.requantizer.fused_pool);
  visit.integer("pool_line_bytes", hardware.requantizer.pool_line_bytes, 1, 1 << 24);
  visit.boolean("affine_stage", hardware.requantizer.affine_stage);
  visit.integer("thresholds", hardware.requantizer.thresholds, 0, 65'535);
  visit.boolean("block_exponents", hardware.requantizer.block_exponents);
  visit.end();

  visit.begin("vector_unit");
  visit.integer("lanes", hardware.vector_unit.lanes, 0, 4096);
  visit.integer("latency_cycles", hardware.vector_unit.latency_cycles, 0, 1'000'000);
  visit.end();

  visit_dma_fields(hardware.dma, visit);

  visit.begin("controller");
  visit.choice("pass_order", hardware.controller.pass_order, kPassOrderNames);
  visit.integer("layer_start_cycles", hardware.controller.layer_start_cycles, 0, 1'000'000);
  visit.end();
  visit.begin("mapper");
  visit.choice("loop_order", hardware.mapper.loop_order, kFixedLoopOrderNames);
  visit.boolean("largest_tiles", hardware.mapper.largest_tiles);
  visit.boolean("fetches_inputs", hardware.mapper.fetches_inputs);
  visit.boolean("fuses_chains", hardware.mapper.fuses_chains);
  visit.end();

  visit_dram_fields(hardware.dram, visit);
  visit.text("energy", hardware.energy);
  visit.values("energy_overrides", hardware.energy_overrides);
}

}  // namespace qsim
