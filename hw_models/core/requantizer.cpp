#include "hw_models/core/requantizer.h"

#include <algorithm>

#include "hw_models/core/spilled_sums.h"
#include "hw_models/core/vector_work.h"

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
      recorder_(recorder),
      pooler_(config_.pool_line_bytes) {
  processes.spawn("drain", [this] { run(); });
}

void Requantizer::run() {
  Cycle free_from = 0;  // Lanes; before the first run they are.
  std::int64_t entries_before = 0;
  while (true) {
    const DrainCommand command = drains.read();
    if (command.nest == nullptr) return;
    const PortCycles ports = port_cycles(command);
    take(command.waits, recorder_.timeline, command.nest->row);
    if (entries_before > 0)
      wait_until(free_from + timing_.gap_cycles(command, entries_before, ports.together));
    wait_for_ports(ports);
    const Cycle begin = now_cycle();
    const Cycle lanes_done = begin + timing_.lane_cycles(command, ports.together);
    const Cycle written = lanes_done + timing_.latency_cycles(command);
    count(command);
    UnitCycles& units = recorder_.units(command.nest->row);
    units.requantizer += timing_.lane_cycles(command, 0);
    units.addend_reads += ports.reads;
    units.output_writes += ports.writes;
    recorder_.timeline.record(Span::requantizer_busy, command.nest->row, begin, written);
    if (!command.sums) count_way_out(command, begin, written);
    completions->at(lanes_done, [this, command] {
      if (moves_values_ && command.sums) {
        spill_sums(command, accumulators_, activation_buffer->storage());
      } else if (moves_values_) {
        requantize_run(command, accumulators_, weight_buffer->storage(), activation_buffer->storage(),
                       recorder_.passed, pooler_);
      }
      give(command.read_out);
    });
    completions->at(written, [signals = command.written] { give(signals); });
    free_from = lanes_done;
    entries_before = RequantizerTiming::entries_used(command);
    wait_until(lanes_done);
  }
}

/// Single-ported banks do one after the other; otherwise reads and writes have ports of their own.
Requantizer::PortCycles Requantizer::port_cycles(const DrainCommand& command) const {
  PortCycles ports;
  ports.reads = activation_buffer->read_cycles(addend_bytes(command));
  ports.writes = activation_buffer->write_cycles(output_bytes(command));
  const bool are_shared = activation_buffer->config().arbitration != Arbitration::fixed;
  ports.together = are_shared ? ports.reads + ports.writes : std::max(ports.reads, ports.writes);
  return ports;
}

/// The addend is read through the ports of the array.
void Requantizer::wait_for_ports(const PortCycles& ports) {
  Token accepted;
  const auto accept = [&accepted] { accepted.release(); };
  if (ports.together == 0) return;  // no window of a pooling is complete
  if (activation_buffer->config().arbitration != Arbitration::fixed) {
    activation_buffer->write_burst(ports.together, accept);
    accepted.acquire();
  } else if (ports.reads > 0) {
    activation_buffer->read_burst(ports.reads, accept);
    accepted.acquire();
  }
}

/// What the operations on the way out do counts under their own rows: as an operation of the vector unit, but
/// that of their operands the addend alone is read, and what the last one gives is written.
void Requantizer::count_way_out(const DrainCommand& command, Cycle begin, Cycle written) {
  std::int32_t row = command.nest->row;
  for (const WayOutOperation& operation : command.nest->problem().way_out) {
    ++row;
    const bool pools = operation.problem.get() == command.nest->problem().pooling();
    const PoolRun windows = pools ? pooled(command) : PoolRun{};
    const std::int64_t channels = command.columns.columns();
    const VectorCost work =
        vector_cost(*operation.problem, pools ? windows.completed * channels : outputs_of(command));
    Activity& events = recorder_.events(row);
    if (pools) {
      const std::int64_t bytes = channels * pool_entry_bytes(*operation.problem);
      events[Event::pool_line_read_bytes] += windows.line_reads * bytes;
      events[Event::pool_line_write_bytes] += windows.line_writes * bytes;
    }
    events[Event::vector_adds] += work.adds;
    events[Event::vector_multiplies] += work.multiplies;
    events[Event::vector_lookups] += work.lookups;
    if (operation.problem->inputs.size() > 1) activation_buffer->count_read(row, addend_bytes(command));
    recorder_.timeline.extend(row, begin, written);
  }
  activation_buffer->count_write(row, output_bytes(command));
}

void Requantizer::count(const DrainCommand& command) {
  const std::int32_t row = command.nest->row;
  const ParameterFormat& parameters = command.nest->problem().parameters;
  Activity& events = recorder_.events(row);
  ++events[Event::commands];
  events[Event::accumulator_reads] += outputs_of(command);
  if (command.sums) {
    activation_buffer->count_write(row, output_bytes(command));
    events[Event::partial_sum_spills] += outputs_of(command);
    return;
  }
  events[Event::requantizations] += outputs_of(command);
  if (command.nest->problem().in_blocks) {
    events[Event::block_outputs] += outputs_of(command);
    events[Event::block_exponents] +=
        command.pixels() * ceil_div(command.columns.columns(), arithmetic::kMxBlock);
  }
  if (parameters.asymmetric_weights) events[Event::zero_point_corrections] += outputs_of(command);
  if (command.nest->problem().sums_weights) events[Event::zero_point_corrections] += outputs_of(command);
  const std::int64_t scales = parameters.per_channel ? command.columns.columns() : 1;
  weight_buffer->count_read(row, scales * parameters.scale_bytes);
}

}  // namespace qsim
