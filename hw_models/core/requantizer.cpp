#include "hw_models/core/requantizer.h"

#include "hw_models/core/spilled_sums.h"
#include "hw_models/cycle.h"

namespace qsim {

Requantizer::Requantizer(sc_core::sc_module_name name, const HardwareConfig& hardware,
                         AccumulatorBank& accumulators, bool moves_values, Recorder& recorder,
                         Processes& processes)
    : sc_module(name),
      drains("drains"),
      weight_buffer("weight_buffer"),
      activation_buffer("activation_buffer"),
      completions("completions"),
      config_(hardware.requantizer),
      timing_(hardware),
      accumulators_(accumulators),
      moves_values_(moves_values),
      recorder_(recorder) {
  processes.spawn("drain", [this] { run(); });
}

void Requantizer::run() {
  Cycle free_from = 0;  // Lanes; before the first run they are.
  std::int64_t entries_before = 0;
  while (true) {
    const DrainCommand command = drains.read();
    if (command.nest == nullptr) return;
    const std::int64_t write_cycles = activation_buffer->write_cycles(output_bytes(command));
    take(command.waits, recorder_.timeline, command.nest->row);
    if (entries_before > 0) wait_until(free_from + timing_.gap_cycles(command, entries_before, write_cycles));
    if (activation_buffer->config().arbitration != Arbitration::fixed) {
      Token ports;
      activation_buffer->write_burst(write_cycles, [&ports] { ports.release(); });
      ports.acquire();
    }
    const Cycle begin = now_cycle();
    const Cycle lanes_done = begin + timing_.lane_cycles(command, write_cycles);
    const Cycle written = lanes_done + (command.sums ? 0 : config_.latency_cycles);
    count(command);
    recorder_.units(command.nest->row).requantizer += timing_.lane_cycles(command, 0);
    recorder_.units(command.nest->row).output_writes += write_cycles;
    recorder_.timeline.record(Span::requantizer_busy, command.nest->row, begin, written);
    completions->at(lanes_done, [this, command] {
      if (moves_values_ && command.sums) {
        spill_sums(command, accumulators_, activation_buffer->storage());
      } else if (moves_values_) {
        requantize_run(command, accumulators_, weight_buffer->storage(), activation_buffer->storage());
      }
      give(command.read_out);
    });
    completions->at(written, [signals = command.written] { give(signals); });
    free_from = lanes_done;
    entries_before = RequantizerTiming::entries_used(command);
    wait_until(lanes_done);
  }
}

void Requantizer::count(const DrainCommand& command) {
  const std::int32_t row = command.nest->row;
  const ParameterFormat& parameters = command.nest->problem().parameters;
  Activity& events = recorder_.events(row);
  ++events[Event::commands];
  events[Event::accumulator_reads] += outputs_of(command);
  activation_buffer->count_write(row, output_bytes(command));
  if (command.sums) {
    events[Event::partial_sum_spills] += outputs_of(command);
    return;
  }
  events[Event::requantizations] += outputs_of(command);
  if (parameters.asymmetric_weights) events[Event::zero_point_corrections] += outputs_of(command);
  if (command.nest->problem().sums_weights) events[Event::zero_point_corrections] += outputs_of(command);
  const std::int64_t scales = parameters.per_channel ? command.columns.columns() : 1;
  weight_buffer->count_read(row, scales * parameters.scale_bytes);
}

}  // namespace qsim
