#include "hw_models/core/requantizer.h"

#include <algorithm>

#include "hw_models/arithmetic/bit_packing.h"
#include "hw_models/arithmetic/requantize.h"
#include "hw_models/core/parameters.h"
#include "hw_models/cycle.h"

namespace qsim {

namespace {

constexpr int kDrainQueueDepth = 2;

std::int64_t output_bytes(const DrainCommand& command) {
  return command.pixels() * arithmetic::packed_bytes(command.columns.columns(),
                                                     command.nest->placement().output.buffer.format.bits);
}

std::int64_t outputs_of(const DrainCommand& command) {
  return command.pixels() * command.columns.columns();
}

std::int64_t group_channels_of(const DrainCommand& command) {
  return command.columns.columns() / command.columns.groups();
}

/// Lane cycles an output takes.
std::int64_t operations_of(const GemmNest& nest) {
  return 1 + (nest.problem().parameters.asymmetric_weights ? 1 : 0) + (nest.problem().sums_weights ? 1 : 0);
}

}  // namespace

Requantizer::Requantizer(sc_core::sc_module_name name, const HardwareConfig& hardware,
                         AccumulatorBank& accumulators, SramBuffer& weight_buffer,
                         SramBuffer& activation_buffer, Completions& completions, ChipContext& context)
    : sc_module(name),
      drains("drains", kDrainQueueDepth),
      config_(hardware.requantizer),
      columns_(hardware.mac_array.columns),
      entries_(hardware.accumulators.entries_per_slot()),
      accumulators_(accumulators),
      weight_buffer_(weight_buffer),
      activation_buffer_(activation_buffer),
      completions_(completions),
      context_(context) {
  sc_core::sc_spawn([this] { context_.guard([this] { run(); }); }, sc_core::sc_gen_unique_name("drain"));
}

std::int64_t Requantizer::entries_used(const DrainCommand& command) {
  const std::int64_t channels = group_channels_of(command);
  return dataflow_of(command.nest->mapping())
      .accumulator_order(command.pixels(), channels)
      .entries(command.pixels(), channels);
}

std::int64_t Requantizer::row_cycles(const DrainCommand& command) const {
  return config_.row_read_cycles + ceil_div(columns_ * operations_of(*command.nest), config_.lanes);
}

std::int64_t Requantizer::gap_cycles(const DrainCommand& command, std::int64_t entries_before) const {
  if (config_.turnaround_cycles == 0) return 0;
  const std::int64_t entries = entries_used(command);
  const std::int64_t entry_cycles =
      config_.row_read_cycles > 0 ? row_cycles(command) : ceil_div(lane_cycles(command), entries);
  const std::int64_t hidden =
      std::max<std::int64_t>(0, std::min(entries_before, entries_ - entries)) * entry_cycles;
  return std::max<std::int64_t>(0, config_.turnaround_cycles - hidden);
}

std::int64_t Requantizer::lane_cycles(const DrainCommand& command) const {
  const std::int64_t lanes =
      config_.row_read_cycles > 0
          ? entries_used(command) * row_cycles(command)
          : ceil_div(outputs_of(command) * operations_of(*command.nest), config_.lanes);
  return std::max({lanes, read_out_cycles(command), activation_buffer_.write_cycles(output_bytes(command))});
}

/// Columns are read side by side, each entry after entry.
std::int64_t Requantizer::read_out_cycles(const DrainCommand& command) const {
  const std::int64_t entries_a_cycle = accumulators_.config().read_out_entries;
  if (entries_a_cycle == 0) return 0;
  return ceil_div(entries_used(command), entries_a_cycle);
}

void Requantizer::run() {
  Cycle free_from = 0;  // Lanes; before the first run they are.
  std::int64_t entries_before = 0;
  while (true) {
    const DrainCommand command = drains.read();
    if (command.nest == nullptr) return;
    context_.tokens.accumulators_ready.acquire();
    if (entries_before > 0) wait_until(free_from + gap_cycles(command, entries_before));
    if (activation_buffer_.config().arbitration != Arbitration::fixed) {
      Token ports;
      activation_buffer_.write_burst(activation_buffer_.write_cycles(output_bytes(command)),
                                     [&ports] { ports.release(); });
      ports.acquire();
    }
    const Cycle begin = now_cycle();
    const Cycle lanes_done = begin + lane_cycles(command);
    const Cycle written = lanes_done + config_.latency_cycles;
    count(command);
    context_.timeline.record(Span::requantizer_busy, command.nest->row, begin, written);
    completions_.at(lanes_done, [this, command] {
      if (context_.moves_values) write_outputs(command);
      context_.tokens.accumulators_free.release();
      if (command.gives_parameters) context_.tokens.parameters_free.release();
    });
    completions_.at(written, [this, command] {
      if (command.gives_outputs) context_.tokens.outputs_ready.release();
      if (command.retires) context_.on_retire();
    });
    free_from = lanes_done;
    entries_before = entries_used(command);
    wait_until(lanes_done);
  }
}

void Requantizer::count(const DrainCommand& command) {
  const std::int32_t row = command.nest->row;
  const ParameterFormat& parameters = command.nest->problem().parameters;
  Activity& events = context_.events(row);
  ++events[Event::commands];
  events[Event::accumulator_reads] += outputs_of(command);
  events[Event::requantizations] += outputs_of(command);
  if (parameters.asymmetric_weights) events[Event::zero_point_corrections] += outputs_of(command);
  if (command.nest->problem().sums_weights) events[Event::zero_point_corrections] += outputs_of(command);
  const std::int64_t scales = parameters.per_channel ? command.columns.columns() : 1;
  weight_buffer_.count_read(row, scales * parameters.scale_bytes);
  activation_buffer_.count_write(row, output_bytes(command));
}

void Requantizer::write_outputs(const DrainCommand& command) {
  const GemmNest& nest = *command.nest;
  const ParameterReader parameters(weight_buffer_, nest, command.parameters_address,
                                   command.block_channel_begin);
  const std::int64_t width = command.output.extent(kColumn);
  const std::int64_t group_channels = group_channels_of(command);
  const AccumulatorOrder order =
      dataflow_of(nest.mapping()).accumulator_order(command.pixels(), group_channels);
  for (std::int64_t c = 0; c < command.columns.columns(); ++c) {
    const std::int64_t channel = command.columns.channel_begin + c;
    const std::int64_t group = c / group_channels;
    const std::int64_t in_group = c % group_channels;
    const arithmetic::ChannelScale scale = parameters.scale(channel);
    const std::int64_t weight_zero_point =
        nest.problem().parameters.asymmetric_weights ? parameters.weight_zero_point(channel) : 0;
    for (std::int64_t pixel = command.pixel_begin; pixel < command.pixel_end; ++pixel) {
      AccumulatorCell cell = order.cell(pixel - command.pixel_begin, group, in_group);
      cell.entry += command.accumulator_base;
      std::int64_t sum = accumulators_.read(cell.entry, cell.column);
      if (weight_zero_point != 0) sum -= weight_zero_point * accumulators_.input_sum(cell.entry, cell.column);
      if (nest.problem().sums_weights) {
        sum -= nest.problem().geometry.input_zero_point * accumulators_.weight_sum(cell.entry, cell.column);
      }
      const std::int32_t value =
          arithmetic::requantize(nest.problem().rounding_profile, scale, nest.problem().output_range, sum);
      const Dims& origin = command.destination_origin;
      activation_buffer_.write(
          command.destination.bit_address(command.output.begin[kBatch] - origin[kBatch],
                                          command.output.begin[kRow] + pixel / width - origin[kRow],
                                          command.output.begin[kColumn] + pixel % width - origin[kColumn],
                                          channel - origin[kChannel]),
          command.destination.format, value);
    }
  }
}

}  // namespace qsim
