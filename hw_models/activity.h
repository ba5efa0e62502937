// What the modules count, and what a cycle counts as. Energy, utilization and every sum of the report come
// from these after the run. Events, cycle classes and bounds have one table each: enumerator, name in
// reports, and what else is known of it; adding one is a line in its enum and a line in its table.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace qsim {

/// One kind of countable thing; kEvents says what one count of it is.
enum class Event : std::uint8_t {
  macs,
  weight_register_writes,
  activation_register_writes,
  weight_buffer_reads,
  weight_buffer_writes,
  weight_buffer_read_bytes,
  weight_buffer_write_bytes,
  activation_buffer_reads,
  activation_buffer_writes,
  activation_buffer_read_bytes,
  activation_buffer_write_bytes,
  line_buffer_write_bytes,
  accumulator_reads,
  accumulator_writes,
  accumulator_adds,
  group_multiplies,
  block_shifts,
  block_sums_rounded,
  partial_sum_spills,
  partial_sum_reloads,
  requantizations,
  block_outputs,
  block_exponents,
  pool_line_read_bytes,
  pool_line_write_bytes,
  zero_point_input_adds,
  zero_point_corrections,
  vector_adds,
  vector_multiplies,
  vector_lookups,
  dma_bytes,
  dma_requests,
  dram_read_bursts,
  dram_write_bursts,
  dram_read_weight_bytes,
  dram_read_parameter_bytes,
  dram_read_activation_bytes,
  dram_write_activation_bytes,
  dram_read_partial_sum_bytes,
  dram_write_partial_sum_bytes,
  host_read_bytes,
  host_write_bytes,
  commands,
  count_
};
inline constexpr std::size_t kEventCount = static_cast<std::size_t>(Event::count_);

struct EventRow {
  Event event{};
  std::string_view name;  ///< As reports print it.
  std::string_view unit;  ///< What one count is.
};

/// In the order of the enumerators.
inline constexpr std::array<EventRow, kEventCount> kEvents{{
    {Event::macs, "macs", "multiply-accumulate, padded taps included"},
    {Event::weight_register_writes, "weight_register_writes", "weight into a PE register where it stays"},
    {Event::activation_register_writes, "activation_register_writes",
     "activation into a PE register where it stays"},
    {Event::weight_buffer_reads, "weight_buffer_reads", "word of read_port_bytes"},
    {Event::weight_buffer_writes, "weight_buffer_writes", "word of write_port_bytes"},
    {Event::weight_buffer_read_bytes, "weight_buffer_read_bytes", "byte of payload"},
    {Event::weight_buffer_write_bytes, "weight_buffer_write_bytes", "byte of payload"},
    {Event::activation_buffer_reads, "activation_buffer_reads", "word of read_port_bytes"},
    {Event::activation_buffer_writes, "activation_buffer_writes", "word of write_port_bytes"},
    {Event::activation_buffer_read_bytes, "activation_buffer_read_bytes", "byte of payload"},
    {Event::activation_buffer_write_bytes, "activation_buffer_write_bytes", "byte of payload"},
    {Event::line_buffer_write_bytes, "line_buffer_write_bytes", "byte of activations into a register"},
    {Event::accumulator_reads, "accumulator_reads", "entry of width_bits"},
    {Event::accumulator_writes, "accumulator_writes", "entry of width_bits"},
    {Event::accumulator_adds, "accumulator_adds", "entry of width_bits"},
    {Event::group_multiplies, "group_multiplies", "partial sum times the multiplier of its group"},
    {Event::block_shifts, "block_shifts", "partial sum of two blocks shifted by their exponents"},
    {Event::block_sums_rounded, "block_sums_rounded",
     "of these one that lost bits below; where values are computed"},
    {Event::partial_sum_spills, "partial_sum_spills", "partial sum into the activation buffer"},
    {Event::partial_sum_reloads, "partial_sum_reloads", "partial sum back into an accumulator"},
    {Event::requantizations, "requantizations", "output scaled, rounded and clamped"},
    {Event::block_outputs, "block_outputs", "output that waits for the exponent of its block"},
    {Event::block_exponents, "block_exponents", "exponent of a block of outputs"},
    {Event::pool_line_read_bytes, "pool_line_read_bytes", "byte of a window out of the pooler's lines"},
    {Event::pool_line_write_bytes, "pool_line_write_bytes", "byte of a window into the pooler's lines"},
    {Event::zero_point_input_adds, "zero_point_input_adds", "input summed for asymmetric weights"},
    {Event::zero_point_corrections, "zero_point_corrections",
     "output corrected with that sum: one multiply and one subtract; with groups a sum a group, too"},
    {Event::vector_adds, "vector_adds", "add, compare, accumulate or move of a lane"},
    {Event::vector_multiplies, "vector_multiplies", "fixed- or floating-point rescale of a lane"},
    {Event::vector_lookups, "vector_lookups", "table lookup of a lane"},
    {Event::dma_bytes, "dma_bytes", "byte of payload"},
    {Event::dma_requests, "dma_requests", "request"},
    {Event::dram_read_bursts, "dram_read_bursts", "burst of burst_bytes"},
    {Event::dram_write_bursts, "dram_write_bursts", "burst of burst_bytes"},
    {Event::dram_read_weight_bytes, "dram_read_weight_bytes", "byte of payload"},
    {Event::dram_read_parameter_bytes, "dram_read_parameter_bytes", "byte of payload"},
    {Event::dram_read_activation_bytes, "dram_read_activation_bytes", "byte of payload"},
    {Event::dram_write_activation_bytes, "dram_write_activation_bytes", "byte of payload"},
    {Event::dram_read_partial_sum_bytes, "dram_read_partial_sum_bytes", "byte of payload"},
    {Event::dram_write_partial_sum_bytes, "dram_write_partial_sum_bytes", "byte of payload"},
    {Event::host_read_bytes, "host_read_bytes", "byte of payload that the host reads from DRAM"},
    {Event::host_write_bytes, "host_write_bytes", "byte of payload that the host writes to DRAM"},
    {Event::commands, "commands", "command of the controller"},
}};

/// What a row's cycles were spent on most: the group of cycle classes with the most of them.
enum class Bound : std::uint8_t { compute, weights, activations, outputs, vector, host, count_ };
inline constexpr std::size_t kBoundCount = static_cast<std::size_t>(Bound::count_);

struct BoundRow {
  Bound bound{};
  std::string_view name;
};

/// In the order of the enumerators; of equal groups the first is the bound.
inline constexpr std::array<BoundRow, kBoundCount> kBounds{{{Bound::compute, "compute"},
                                                            {Bound::weights, "weights"},
                                                            {Bound::activations, "activations"},
                                                            {Bound::outputs, "outputs"},
                                                            {Bound::vector, "vector"},
                                                            {Bound::host, "host"}}};

/// What the critical resource did in a cycle; where several apply the first in this order counts. Between two
/// steps that the ports of a buffer hold apart the array waits for ports, whatever MACs of earlier steps are
/// still on their way through it.
enum class CycleClass : std::uint8_t {
  compute,
  wait_ports,
  fill_drain,
  weight_load,
  wait_weights,
  wait_activations,
  wait_accumulators,
  wait_requantizer,
  wait_output_space,
  vector,
  host,
  control,
  count_
};
inline constexpr std::size_t kCycleClassCount = static_cast<std::size_t>(CycleClass::count_);
using CycleBreakdown = std::array<std::int64_t, kCycleClassCount>;

struct CycleClassRow {
  CycleClass cycle_class{};
  std::string_view name;
  Bound bound{};  ///< count_: of no group.
};

/// In the order of the enumerators.
inline constexpr std::array<CycleClassRow, kCycleClassCount> kCycleClasses{{
    {CycleClass::compute, "compute", Bound::compute},
    {CycleClass::wait_ports, "wait_ports", Bound::compute},
    {CycleClass::fill_drain, "fill_drain", Bound::compute},
    {CycleClass::weight_load, "weight_load", Bound::compute},
    {CycleClass::wait_weights, "wait_weights", Bound::weights},
    {CycleClass::wait_activations, "wait_activations", Bound::activations},
    {CycleClass::wait_accumulators, "wait_accumulators", Bound::outputs},
    {CycleClass::wait_requantizer, "wait_requantizer", Bound::outputs},
    {CycleClass::wait_output_space, "wait_output_space", Bound::outputs},
    {CycleClass::vector, "vector", Bound::vector},
    {CycleClass::host, "host", Bound::host},
    {CycleClass::control, "control", Bound::count_},
}};

/// Whether row i of a table is that of enumerator i, so that tables are indexed by their enum.
template <typename Table, typename Member>
consteval bool is_in_order(const Table& table, Member member) {
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (static_cast<std::size_t>(table[i].*member) != i || table[i].name.empty()) return false;
  }
  return true;
}
static_assert(is_in_order(kEvents, &EventRow::event));
static_assert(is_in_order(kBounds, &BoundRow::bound));
static_assert(is_in_order(kCycleClasses, &CycleClassRow::cycle_class));

[[nodiscard]] constexpr std::string_view event_name(Event event) {
  return kEvents[static_cast<std::size_t>(event)].name;
}
[[nodiscard]] constexpr std::string_view bound_name(Bound bound) {
  return kBounds[static_cast<std::size_t>(bound)].name;
}
[[nodiscard]] constexpr std::string_view cycle_class_name(CycleClass cycle_class) {
  return kCycleClasses[static_cast<std::size_t>(cycle_class)].name;
}
/// The group with the most cycles, of equal ones the first.
[[nodiscard]] Bound bound_of(const CycleBreakdown& breakdown);

/// Counters of all events; subtract two to get what a window did.
struct Activity {
  std::array<std::int64_t, kEventCount> counts{};

  [[nodiscard]] std::int64_t operator[](Event event) const { return counts[static_cast<std::size_t>(event)]; }
  std::int64_t& operator[](Event event) { return counts[static_cast<std::size_t>(event)]; }
  Activity& operator+=(const Activity& other);
  Activity& operator-=(const Activity& other);
};

}  // namespace qsim
