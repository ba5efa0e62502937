// What the modules count. Energy, utilization and every sum of the report come from these after the run.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace qsim {

/// One kind of countable thing. Names and units: event_name().
enum class Event : std::uint8_t {
  // MAC array
  macs,                        ///< useful multiply-accumulates (padded taps included)
  weight_register_writes,      ///< weights into PE registers where they stay
  activation_register_writes,  ///< activations into PE registers where they stay
  // buffers: accesses of one port word (read_port_bytes / write_port_bytes of that buffer), and payload bytes
  weight_buffer_reads,
  weight_buffer_writes,
  weight_buffer_read_bytes,
  weight_buffer_write_bytes,
  activation_buffer_reads,
  activation_buffer_writes,
  activation_buffer_read_bytes,
  activation_buffer_write_bytes,
  line_buffer_write_bytes,  ///< activations into the registers of the line buffer
  // accumulators: one entry of width_bits
  accumulator_reads,
  accumulator_writes,
  accumulator_adds,
  // requantizer
  requantizations,         ///< outputs scaled, rounded and clamped
  zero_point_input_adds,   ///< data-dependent sum of the inputs (asymmetric weights)
  zero_point_corrections,  ///< outputs corrected with it: one multiply and one subtract
  // vector unit: lane operations
  vector_adds,        ///< add, compare, accumulate, move
  vector_multiplies,  ///< fixed- or floating-point rescale
  vector_lookups,     ///< table lookups
  // DMA and DRAM
  dma_bytes,  ///< payload moved
  dma_requests,
  dram_read_bursts,
  dram_write_bursts,
  dram_read_weight_bytes,
  dram_read_parameter_bytes,
  dram_read_activation_bytes,
  dram_write_activation_bytes,
  dram_read_partial_sum_bytes,
  dram_write_partial_sum_bytes,
  // host
  host_read_bytes,  ///< payload that the host reads from DRAM
  host_write_bytes,
  // controller
  commands,
  count_
};
inline constexpr std::size_t kEventCount = static_cast<std::size_t>(Event::count_);

/// snake_case name of an event, as the report prints it.
[[nodiscard]] std::string_view event_name(Event event);

/// Counters of everything above; subtract two to get what a window did.
struct Activity {
  std::array<std::int64_t, kEventCount> counts{};

  [[nodiscard]] std::int64_t operator[](Event event) const { return counts[static_cast<std::size_t>(event)]; }
  std::int64_t& operator[](Event event) { return counts[static_cast<std::size_t>(event)]; }
  Activity& operator+=(const Activity& other);
  Activity& operator-=(const Activity& other);
};

/// What the critical resource did in a cycle; where several apply the first in this order counts.
enum class CycleClass : std::uint8_t {
  compute,
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
[[nodiscard]] std::string_view cycle_class_name(CycleClass cycle_class);
using CycleBreakdown = std::array<std::int64_t, kCycleClassCount>;

}  // namespace qsim
