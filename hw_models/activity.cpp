#include "hw_models/activity.h"

namespace qsim {

std::string_view event_name(Event event) {
  static constexpr std::array<std::string_view, kEventCount> kNames = {
      "macs",
      "weight_register_writes",
      "activation_register_writes",
      "weight_buffer_reads",
      "weight_buffer_writes",
      "weight_buffer_read_bytes",
      "weight_buffer_write_bytes",
      "activation_buffer_reads",
      "activation_buffer_writes",
      "activation_buffer_read_bytes",
      "activation_buffer_write_bytes",
      "line_buffer_write_bytes",
      "accumulator_reads",
      "accumulator_writes",
      "accumulator_adds",
      "requantizations",
      "zero_point_input_adds",
      "zero_point_corrections",
      "vector_adds",
      "vector_multiplies",
      "vector_lookups",
      "dma_bytes",
      "dma_requests",
      "dram_read_bursts",
      "dram_write_bursts",
      "dram_read_weight_bytes",
      "dram_read_parameter_bytes",
      "dram_read_activation_bytes",
      "dram_write_activation_bytes",
      "dram_read_partial_sum_bytes",
      "dram_write_partial_sum_bytes",
      "host_read_bytes",
      "host_write_bytes",
      "commands",
  };
  return kNames[static_cast<std::size_t>(event)];
}

std::string_view cycle_class_name(CycleClass cycle_class) {
  static constexpr std::array<std::string_view, kCycleClassCount> kNames = {
      "compute",           "fill_drain",       "weight_load",       "wait_weights", "wait_activations",
      "wait_accumulators", "wait_requantizer", "wait_output_space", "vector",       "host",
      "control",
  };
  return kNames[static_cast<std::size_t>(cycle_class)];
}

Activity& Activity::operator+=(const Activity& other) {
  for (std::size_t i = 0; i < kEventCount; ++i) counts[i] += other.counts[i];
  return *this;
}

Activity& Activity::operator-=(const Activity& other) {
  for (std::size_t i = 0; i < kEventCount; ++i) counts[i] -= other.counts[i];
  return *this;
}

}  // namespace qsim
