#include "sim/energy/energy_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "hw_models/dataflow/dataflow_table.h"
#include "hw_models/dataflow/precision_style.h"
#include "sim/energy/energy_keys.h"
#include "sim/energy/term_list.h"
#include "sim/energy/voltage.h"

namespace qsim {
namespace {

using arithmetic::RoundingProfile;

/// A port word comes from n = ceil(port bits / 64) banks (all of them at most), port bits / n from each.
double port_access_pj(const EnergyEntry& curve, const BufferConfig& buffer, std::int64_t port_bytes) {
  const std::int64_t banks = std::clamp((port_bytes + 7) / 8, std::int64_t{1}, buffer.banks);
  const double bank_bytes = bank_capacity_bytes(buffer);
  const double bank_bits = 8.0 * static_cast<double>(port_bytes) / static_cast<double>(banks);
  return static_cast<double>(banks) * sram_access_pj(curve, bank_bytes, bank_bits);
}

/// Operations of one requantization, multipliers relative to 32 x 32 bits for an accumulator of 32 bits.
struct RequantizationCost {
  double integer_multiplies = 0.0;
  double float_multiplies = 0.0;
  double adds = 0.0;    ///< Rounding and zero point, 32 bits.
  double shifts = 0.0;  ///< Barrel shifts by a variable amount.
};

RequantizationCost requantization_cost(RoundingProfile profile, const RequantizerConfig& requantizer) {
  const double width = requantizer.multiplier_bits / 32.0;
  switch (profile) {
    case RoundingProfile::float32:  // normalize, multiply, align, round (2 adds), zero point
      return {0.0, 1.0, 3.0, 2.0};
    case RoundingProfile::fixed_point_double_rounding:  // round the product, round the shift, zero point
      return {width, 0.0, 3.0, 1.0};
    case RoundingProfile::fixed_point_single_rounding:
      return {width, 0.0, 2.0, 1.0};
    case RoundingProfile::fixed_point_16bit_multiplier:
      return {std::min(width, 0.5), 0.0, 2.0, 1.0};
    case RoundingProfile::float64:  // as an integer: a significand of 53 bits, round, zero point
      return {53.0 / 32.0, 0.0, 2.0, 1.0};
    case RoundingProfile::power_of_two:  // round (a truncating shift does not), zero point
      return {0.0, 0.0, requantizer.shift_rounding == arithmetic::ShiftRounding::truncate ? 1.0 : 2.0, 1.0};
    case RoundingProfile::affine:  // as float64; align the offset and add 64 bits of it
      return {53.0 / 32.0, 0.0, 4.0, 2.0};
    case RoundingProfile::thresholds:  // comparisons alone
      return {};
  }
  return {};
}

/// "a bank of weight_buffer has 65536 KiB; curve sram_read_64bit of 45nm ends at 4096 KiB and is continued"
std::string beyond_remark(const std::string& place, const EnergyEntry& curve, double bytes,
                          const std::string& table) {
  const double kib = bytes / 1024.0;
  const bool is_above = kib > curve.points.back().first;
  const double end = is_above ? curve.points.back().first : curve.points.front().first;
  return fmt::format(
      "{} of {} has {:g} KiB; curve {} of the energy table {} {} at {:g} KiB and is extrapolated",
      place == "accumulators" ? "a column" : "a bank", place, kib, curve.key, table,
      is_above ? "ends" : "begins", end);
}

}  // namespace

const char* component_name(Component component) {
  static constexpr std::array<const char*, kComponentCount> kNames = {
      "mac_array",    "weight_buffer", "activation_buffer",
      "accumulators", "requantizer",   "zero_point_correction",
      "vector_unit",  "dma",           "dram",
      "control",      "clock",         "wires",
      "static"};
  return kNames[static_cast<std::size_t>(component)];
}

EnergyModel::EnergyModel(HardwareConfig hardware, EnergyTable table)
    : hardware_(std::move(hardware)), table_(std::move(table)), geometry_(chip_geometry(hardware_, table_)) {}

bool EnergyModel::is_built_for_layer() const {
  return precision_model(hardware_.mac_array).is_built_for_layer();
}

std::vector<EnergyTerm> EnergyModel::terms(const RunResult& result) const {
  TermList terms(table_, hardware_.voltage_v);
  add_mac_array(result, terms);
  add_buffers(terms);
  add_accumulators(result, terms);
  add_requantizer(result, terms);
  add_zero_point_correction(terms);
  add_vector_unit(terms);
  add_transfers(terms);
  add_fixed_terms(hardware_, geometry_, result, terms);
  return terms.take();
}

std::vector<EnergyTerm> EnergyModel::idle_terms() const {
  TermList terms(table_, hardware_.voltage_v);
  add_idle_terms(hardware_, geometry_, terms);
  return terms.take();
}

// E_mac(w, a) = E_mul8 * w*a/64 + E_add32 * sum/32 + E_register_bit * (moving + sum): a multiplier grows with
// the product of its widths. Systolic: the sum has the accumulator's width, and what does not stay moves on
// by one register each cycle (a where weights stay, w where activations stay, both where sums stay).
// dot_product: an adder of the tree a MAC, of w + a + log2(rows) bits with a register behind; operands have
// none. What a MAC takes of multiplier and sums depends on the precision style (PrecisionModel::work). Wires:
// systolic bits go to the next PE; of a dot product an operand passes a PE's width for each
// column, and a sum on average log2(rows) / 2 of them a MAC (level l of the tree has rows / 2^l sums that go
// 2^(l-1) PEs).
void EnergyModel::add_mac_array(const RunResult& result, TermList& terms) const {
  std::set<std::tuple<int, int, std::optional<Dataflow>>> macs;
  std::set<int> weight_widths;
  std::set<int> activation_widths;
  for (const LayerResult& layer : result.layers) {
    if (layer.activity[Event::macs] != 0)
      macs.emplace(layer.weight_bits, layer.activation_bits, layer.chosen_dataflow);
    if (layer.activity[Event::weight_register_writes] != 0) weight_widths.insert(layer.weight_bits);
    if (layer.activity[Event::activation_register_writes] != 0) {
      activation_widths.insert(layer.activation_bits);
    }
  }
  const MacArrayConfig& array = hardware_.mac_array;
  for (const auto& [weight_bits, activation_bits, chosen] : macs) {
    const DataflowModel& dataflow = dataflow_model(chosen.value_or(array.dataflow), array.organization);
    const double sum_bits =
        dataflow.sum_bits(array, hardware_.accumulators.width_bits, weight_bits, activation_bits);
    const double moving_bits = dataflow.moving_bits(weight_bits, activation_bits);
    const ShownEvent event = mac_event(weight_bits, activation_bits, chosen);
    const MacWork work = precision_model(array).work(array, weight_bits, activation_bits);
    const double added_bits = work.sums * sum_bits;
    terms.dynamic(Component::mac_array, event, "int8_multiply", work.multiplier_bits2 / 64.0);
    if (work.fusion_units > 0.0)
      terms.dynamic(Component::mac_array, event, kFusionMultiplyKey, work.fusion_units);
    terms.dynamic(Component::mac_array, event, "int32_add", added_bits / 32.0);
    terms.dynamic(Component::mac_array, event, "register_bit", moving_bits + added_bits + work.serial_bits);
    const bool is_tree = array.organization == Organization::dot_product;
    const double tree_pes = std::max(1.0, std::log2(static_cast<double>(array.rows)) / 2.0);
    const double bit_pes = is_tree ? activation_bits + added_bits * tree_pes : moving_bits + added_bits;
    terms.dynamic(Component::wires, event, "wire_bit_mm", bit_pes * geometry_.pe_pitch_mm, "mac_array");
  }
  for (const int weight_bits : weight_widths) {
    terms.dynamic(Component::mac_array, weight_register_event(weight_bits), "register_bit", weight_bits);
  }
  for (const int activation_bits : activation_widths) {
    terms.dynamic(Component::mac_array, activation_register_event(activation_bits), "register_bit",
                  activation_bits);
  }
}

// Macros, and the wires between them and the port, which are the buffer's own.
void EnergyModel::add_buffers(TermList& terms) const {
  const auto add_port = [&](Component component, Event event, const BufferConfig& buffer,
                            std::string_view what, std::int64_t port_bytes) {
    const EnergyEntry& curve = table_.at(curve_key(buffer.curve, what));
    terms.sram(component, event, curve.key, port_access_pj(curve, buffer, port_bytes),
               bank_capacity_bytes(buffer), "macros");
    const double bits = 8.0 * static_cast<double>(port_bytes);
    terms.dynamic(component, event, "wire_bit_mm", bits * bank_wire_mm(buffer, table_), "between banks");
  };
  const auto add = [&](Component component, Event reads, Event writes, const BufferConfig& buffer) {
    add_port(component, reads, buffer, "read_64bit", buffer.read_port_bytes);
    add_port(component, writes, buffer, "write_64bit", buffer.write_port_bytes);
  };
  add(Component::weight_buffer, Event::weight_buffer_reads, Event::weight_buffer_writes,
      hardware_.weight_buffer);
  add(Component::activation_buffer, Event::activation_buffer_reads, Event::activation_buffer_writes,
      hardware_.activation_buffer);
  terms.dynamic(Component::activation_buffer, Event::line_buffer_write_bytes, "register_bit", 8.0);
}

// One macro a column: `entries` words of the accumulator's width. A multiplier of a group: the accumulator's
// width by its own.
void EnergyModel::add_accumulators(const RunResult& result, TermList& terms) const {
  const double width_bits = hardware_.accumulators.width_bits;
  const double column_bytes = accumulator_column_bytes(hardware_);
  const EnergyEntry& read = table_.at(curve_key(hardware_.accumulators.curve, "read_64bit"));
  const EnergyEntry& write = table_.at(curve_key(hardware_.accumulators.curve, "write_64bit"));
  terms.sram(Component::accumulators, Event::accumulator_reads, read.key,
             sram_access_pj(read, column_bytes, width_bits), column_bytes);
  terms.sram(Component::accumulators, Event::accumulator_writes, write.key,
             sram_access_pj(write, column_bytes, width_bits), column_bytes);
  terms.dynamic(Component::accumulators, Event::accumulator_adds, "int32_add", width_bits / 32.0);
  // A shift of blocks: a barrel shifter and a rounding of the accumulator's width, two adders of exponents
  // (10 bits).
  if (hardware_.requantizer.block_exponents) {
    terms.dynamic(Component::accumulators, Event::block_shifts, "shift", width_bits / 32.0);
    terms.dynamic(Component::accumulators, Event::block_shifts, "int32_add", (width_bits + 2 * 10.0) / 32.0);
  }
  const bool has_groups =
      std::any_of(result.layers.begin(), result.layers.end(),
                  [](const LayerResult& layer) { return layer.activity[Event::group_multiplies] != 0; });
  if (!has_groups) return;
  terms.dynamic(Component::accumulators, Event::group_multiplies, "int8_multiply",
                width_bits * hardware_.requantizer.group_multiplier_bits / 64.0);
}

void EnergyModel::add_requantizer(const RunResult& result, TermList& terms) const {
  std::set<RoundingProfile> profiles;
  for (const LayerResult& layer : result.layers) {
    if (layer.activity[Event::requantizations] != 0 && layer.rounding_profile)
      profiles.insert(*layer.rounding_profile);
  }
  const double accumulator_share = hardware_.accumulators.width_bits / 32.0;
  for (const RoundingProfile profile : profiles) {
    const ShownEvent event = requantization_event(profile);
    const RequantizationCost cost = requantization_cost(profile, hardware_.requantizer);
    terms.dynamic(Component::requantizer, event, "int32_multiply",
                  cost.integer_multiplies * accumulator_share);
    terms.dynamic(Component::requantizer, event, "fp32_multiply", cost.float_multiplies);
    terms.dynamic(Component::requantizer, event, "int32_add", cost.adds);
    terms.dynamic(Component::requantizer, event, "shift", cost.shifts);
    // Clamp; or a bisection of the thresholds.
    const auto bisection =
        static_cast<double>(std::bit_width(static_cast<std::uint64_t>(hardware_.requantizer.thresholds)));
    terms.dynamic(Component::requantizer, event, "int32_compare",
                  profile == RoundingProfile::thresholds ? bisection * accumulator_share : 2.0);
  }
  add_pool_lines(terms);
  add_block_outputs(terms);
}

// Outputs of a block are compared and wait in registers of the accumulator's width, written and read; its
// exponent takes a leading-zero count, as much as a comparison, and an adder of 10 bits.
void EnergyModel::add_block_outputs(TermList& terms) const {
  if (!hardware_.requantizer.block_exponents) return;
  const double width_bits = hardware_.accumulators.width_bits;
  terms.dynamic(Component::requantizer, Event::block_outputs, "int32_compare", width_bits / 32.0);
  terms.dynamic(Component::requantizer, Event::block_outputs, "register_bit", 2.0 * width_bits);
  terms.dynamic(Component::requantizer, Event::block_exponents, "int32_compare", width_bits / 32.0);
  terms.dynamic(Component::requantizer, Event::block_exponents, "int32_add", 10.0 / 32.0);
}

// One macro of all lines, in words of 64 bits.
void EnergyModel::add_pool_lines(TermList& terms) const {
  if (!hardware_.requantizer.fused_pool) return;
  const auto bytes = static_cast<double>(hardware_.requantizer.pool_line_bytes);
  const EnergyEntry& read = table_.at("sram_read_64bit");
  const EnergyEntry& write = table_.at("sram_write_64bit");
  terms.sram(Component::requantizer, Event::pool_line_read_bytes, read.key,
             sram_access_pj(read, bytes, 64.0) / 8.0, bytes);
  terms.sram(Component::requantizer, Event::pool_line_write_bytes, write.key,
             sram_access_pj(write, bytes, 64.0) / 8.0, bytes);
}

// z_w * sum(x) of the white paper, section 2.4, term 2: a running sum of the inputs, then one multiply
// (array's weight width x accumulator width) and one subtract an output.
void EnergyModel::add_zero_point_correction(TermList& terms) const {
  const double width_bits = hardware_.accumulators.width_bits;
  constexpr auto component = Component::zero_point_correction;
  terms.dynamic(component, Event::zero_point_input_adds, "int32_add", width_bits / 32.0);
  terms.dynamic(component, Event::zero_point_input_adds, "register_bit", width_bits);
  terms.dynamic(component, Event::zero_point_corrections, "int8_multiply",
                hardware_.mac_array.weight_bits * width_bits / 64.0);
  terms.dynamic(component, Event::zero_point_corrections, "int32_add", width_bits / 32.0);
}

// 32-bit lanes; a lookup reads a table of 256 entries of 8 bits.
void EnergyModel::add_vector_unit(TermList& terms) const {
  const EnergyEntry& read = table_.at("sram_read_64bit");
  constexpr auto component = Component::vector_unit;
  terms.dynamic(component, Event::vector_adds, "int32_add", 1.0);
  terms.dynamic(component, Event::vector_adds, "register_bit", 32.0);
  terms.dynamic(component, Event::vector_multiplies, "int32_multiply", 1.0);
  terms.dynamic(component, Event::vector_multiplies, "shift", 1.0);
  terms.sram(component, Event::vector_lookups, read.key, sram_access_pj(read, 256.0, 8.0), 256.0);
}

// DRAM pays for whole bursts, and each burst for its share of opening a row that is read or written whole.
void EnergyModel::add_transfers(TermList& terms) const {
  terms.dynamic(Component::dma, Event::dma_bytes, "dma_byte", 1.0);
  terms.dynamic(Component::dma, Event::dma_requests, "dma_request", 1.0);
  terms.dynamic(Component::control, Event::commands, "command", 1.0);
  const std::string memory = kMemoryDeviceNames[static_cast<std::size_t>(hardware_.dram.device)];
  const auto burst_bytes = static_cast<double>(hardware_.dram.burst_bytes);
  const double row_bytes = table_.at(memory + "_row").value;
  const auto add = [&](Event bursts, const std::string& bit) {
    terms.external(Component::dram, bursts, bit, 8.0 * burst_bytes);
    if (row_bytes > 0.0)
      terms.external(Component::dram, bursts, memory + "_activate", burst_bytes / row_bytes);
  };
  add(Event::dram_read_bursts, memory + "_read_bit");
  add(Event::dram_write_bursts, memory + "_write_bit");
}

std::vector<std::string> EnergyModel::remarks() const {
  std::vector<std::string> remarks;
  const auto add = [&](const std::string& place, const std::string& curve, double bytes) {
    for (const std::string_view part : curve_parts()) {
      const EnergyEntry& entry = table_.at(curve_key(curve, part));
      if (is_beyond(entry, bytes)) remarks.push_back(beyond_remark(place, entry, bytes, table_.name));
    }
  };
  add("weight_buffer", hardware_.weight_buffer.curve, bank_capacity_bytes(hardware_.weight_buffer));
  add("activation_buffer", hardware_.activation_buffer.curve,
      bank_capacity_bytes(hardware_.activation_buffer));
  add("accumulators", hardware_.accumulators.curve, accumulator_column_bytes(hardware_));
  if (std::string remark = clock_remark(hardware_, table_); !remark.empty())
    remarks.push_back(std::move(remark));
  return remarks;
}

EnergyBreakdown energy_of(const EventCounts& events, const std::vector<EnergyTerm>& terms) {
  EnergyBreakdown energy{};
  for (const EnergyTerm& term : terms) {
    const auto found = events.find(term.event.name());
    if (found == events.end()) continue;
    energy[static_cast<std::size_t>(term.component)] += static_cast<double>(found->second) * term.unit_pj;
  }
  return energy;
}

double total_pj(const EnergyBreakdown& energy) {
  return std::accumulate(energy.begin(), energy.end(), 0.0);
}

double total_mm2(const AreaBreakdown& area) {
  return std::accumulate(area.begin(), area.end(), 0.0);
}

}  // namespace qsim
