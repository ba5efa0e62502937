#include "sim/energy/energy_model.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "hw_models/dataflow/dataflow_table.h"

namespace qsim {
namespace {

using arithmetic::RoundingProfile;

/// A port word comes from n = ceil(port bits / 64) banks (all of them at most), port bits / n from each.
double port_access_pj(const EnergyEntry& curve, const BufferConfig& buffer, std::int64_t port_bytes) {
  const std::int64_t banks = std::clamp((port_bytes + 7) / 8, std::int64_t{1}, buffer.banks);
  const double bank_bytes = static_cast<double>(buffer.capacity_bytes()) / static_cast<double>(buffer.banks);
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

}  // namespace

const char* component_name(Component component) {
  static constexpr std::array<const char*, kComponentCount> kNames = {
      "mac_array",    "weight_buffer", "activation_buffer",
      "accumulators", "requantizer",   "zero_point_correction",
      "vector_unit",  "dma",           "dram",
      "control",      "static"};
  return kNames[static_cast<std::size_t>(component)];
}

/// Collects terms; knows the table and what the voltage does to it.
class EnergyModel::TermList {
 public:
  TermList(const EnergyTable& table, double voltage_v)
      : table_(table), voltage_ratio_(voltage_v / table.voltage_v) {}

  /// Dynamic energy: `times` the entry's value, at V^2.
  void dynamic(Component component, const ShownEvent& event, const std::string& key, double times) {
    add(component, event, key, times * table_.at(key).value * voltage_ratio_ * voltage_ratio_);
  }
  /// Access of an SRAM: `access_pj` from the curve `key`, at V^2.
  void sram(Component component, const ShownEvent& event, const std::string& key, double access_pj) {
    add(component, event, key, access_pj * voltage_ratio_ * voltage_ratio_);
  }
  /// Energy from another supply than the core's.
  void external(Component component, const ShownEvent& event, const std::string& key, double times) {
    add(component, event, key, times * table_.at(key).value);
  }
  /// Leakage of `times` pieces for one cycle of `cycle_ns`: mW x ns = pJ, at V.
  void leakage(const std::string& key, double times, double cycle_ns) {
    add(Component::static_power, cycle_event(), key,
        times * table_.at(key).value * cycle_ns * voltage_ratio_);
  }

  std::vector<EnergyTerm> take() { return std::move(terms_); }

 private:
  void add(Component component, const ShownEvent& event, const std::string& key, double unit_pj) {
    if (unit_pj == 0.0) return;
    const EnergyEntry& entry = table_.at(key);
    terms_.push_back({component, event, unit_pj, key, entry.kind, entry.source});
  }

  const EnergyTable& table_;
  double voltage_ratio_;
  std::vector<EnergyTerm> terms_;
};

EnergyModel::EnergyModel(HardwareConfig hardware, EnergyTable table)
    : hardware_(std::move(hardware)), table_(std::move(table)) {}

std::vector<EnergyTerm> EnergyModel::terms(const RunResult& result) const {
  TermList terms(table_, hardware_.voltage_v);
  add_mac_array(result, terms);
  add_buffers(terms);
  add_accumulators(result, terms);
  add_requantizer(result, terms);
  add_zero_point_correction(terms);
  add_vector_unit(terms);
  add_transfers(terms);
  add_static(terms);
  return terms.take();
}

// E_mac(w, a) = E_mul8 * w*a/64 + E_add32 * sum/32 + E_register_bit * (moving + sum): a multiplier grows with
// the product of its widths. Systolic: the sum has the accumulator's width, and what does not stay moves on
// by one register each cycle (a where weights stay, w where activations stay, both where sums stay).
// dot_product: an adder of the tree a MAC, of w + a + log2(rows) bits with a register behind; operands have
// none.
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
    terms.dynamic(Component::mac_array, event, "int8_multiply", weight_bits * activation_bits / 64.0);
    terms.dynamic(Component::mac_array, event, "int32_add", sum_bits / 32.0);
    terms.dynamic(Component::mac_array, event, "register_bit", moving_bits + sum_bits);
  }
  for (const int weight_bits : weight_widths) {
    terms.dynamic(Component::mac_array, weight_register_event(weight_bits), "register_bit", weight_bits);
  }
  for (const int activation_bits : activation_widths) {
    terms.dynamic(Component::mac_array, activation_register_event(activation_bits), "register_bit",
                  activation_bits);
  }
}

void EnergyModel::add_buffers(TermList& terms) const {
  const EnergyEntry& read = table_.at("sram_read_64bit");
  const EnergyEntry& write = table_.at("sram_write_64bit");
  const auto add = [&](Component component, Event reads, Event writes, const BufferConfig& buffer) {
    terms.sram(component, reads, read.key, port_access_pj(read, buffer, buffer.read_port_bytes));
    terms.sram(component, writes, write.key, port_access_pj(write, buffer, buffer.write_port_bytes));
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
  const double column_bytes = static_cast<double>(hardware_.accumulators.entries) * width_bits / 8.0;
  const EnergyEntry& read = table_.at("sram_read_64bit");
  const EnergyEntry& write = table_.at("sram_write_64bit");
  terms.sram(Component::accumulators, Event::accumulator_reads, read.key,
             sram_access_pj(read, column_bytes, width_bits));
  terms.sram(Component::accumulators, Event::accumulator_writes, write.key,
             sram_access_pj(write, column_bytes, width_bits));
  terms.dynamic(Component::accumulators, Event::accumulator_adds, "int32_add", width_bits / 32.0);
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
}

// One macro of all lines, in words of 64 bits.
void EnergyModel::add_pool_lines(TermList& terms) const {
  if (!hardware_.requantizer.fused_pool) return;
  const auto bytes = static_cast<double>(hardware_.requantizer.pool_line_bytes);
  const EnergyEntry& read = table_.at("sram_read_64bit");
  const EnergyEntry& write = table_.at("sram_write_64bit");
  terms.sram(Component::requantizer, Event::pool_line_read_bytes, read.key,
             sram_access_pj(read, bytes, 64.0) / 8.0);
  terms.sram(Component::requantizer, Event::pool_line_write_bytes, write.key,
             sram_access_pj(write, bytes, 64.0) / 8.0);
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
  terms.sram(component, Event::vector_lookups, read.key, sram_access_pj(read, 256.0, 8.0));
}

// DRAM pays for whole bursts.
void EnergyModel::add_transfers(TermList& terms) const {
  terms.dynamic(Component::dma, Event::dma_bytes, "dma_byte", 1.0);
  terms.dynamic(Component::dma, Event::dma_requests, "dma_request", 1.0);
  const double burst_bits = 8.0 * static_cast<double>(hardware_.dram.burst_bytes);
  terms.external(Component::dram, Event::dram_read_bursts, "dram_bit", burst_bits);
  terms.external(Component::dram, Event::dram_write_bursts, "dram_bit", burst_bits);
  terms.dynamic(Component::control, Event::commands, "command", 1.0);
}

// A PE's leakage grows with its multiplier, w*a/64 of an 8x8 one.
void EnergyModel::add_static(TermList& terms) const {
  const double cycle_ns = 1e6 / static_cast<double>(hardware_.clock_khz);
  const MacArrayConfig& mac_array = hardware_.mac_array;
  const auto pes = static_cast<double>(mac_array.rows * mac_array.columns);
  const double accumulator_kib = static_cast<double>(mac_array.columns * hardware_.accumulators.entries) *
                                 hardware_.accumulators.width_bits / 8.0 / 1024.0;
  const RequantizerConfig& requantizer = hardware_.requantizer;
  const double pool_kib =
      requantizer.fused_pool ? static_cast<double>(requantizer.pool_line_bytes) / 1024.0 : 0.0;
  const double sram_kib =
      static_cast<double>(hardware_.weight_buffer.capacity_kib + hardware_.activation_buffer.capacity_kib) +
      accumulator_kib + pool_kib;
  terms.leakage("pe_leakage", pes * mac_array.weight_bits * mac_array.activation_bits / 64.0, cycle_ns);
  terms.leakage("sram_leakage_kib", sram_kib, cycle_ns);
  terms.leakage("other_leakage", 1.0, cycle_ns);
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
  double sum = 0.0;
  for (const double pj : energy) sum += pj;
  return sum;
}

}  // namespace qsim
