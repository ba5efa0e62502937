#include "hw_models/core/pass_timing.h"

#include <algorithm>

#include "hw_models/arithmetic/bit_packing.h"

namespace qsim {

namespace {

/// Of what stays, all of it as one run of bytes.
std::int64_t run_cycles(Stays stays, const PassShape& pass, const ArrayPorts& ports) {
  if (stays == Stays::weights) {
    const std::int64_t weights = pass.groups * pass.depth * pass.channels;
    return ports.weights.read_cycles(arithmetic::packed_bytes(weights, pass.weight_bits));
  }
  const std::int64_t inputs = pass.groups * pass.depth * pass.pixels;
  return ports.activations.read_cycles(arithmetic::packed_bytes(inputs, pass.activation_bits));
}

/// Lines enter one a cycle, or those of a row of PEs, each when the port has read it: the last ones first,
/// those that are not used at once.
void time_load(const MacArrayConfig& array, const ArrayPorts& ports, OperandReads& reads,
               PassTiming& timing) {
  const DataflowModel& dataflow = reads.dataflow();
  const Stays stays = dataflow.stays();
  if (stays == Stays::sums) return;
  const PassShape& pass = reads.shape();
  if (!reads.has_lines()) {
    timing.load_cycles = std::max(dataflow.fill_cycles(array), run_cycles(stays, pass, ports));
    return;
  }
  const std::int64_t lines_a_cycle = dataflow.lines_a_cycle(pass);
  std::int64_t read_cycles = 0;
  for (std::int64_t cycle = dataflow.fill_cycles(array); cycle-- > 0;) {
    for (std::int64_t index = (cycle + 1) * lines_a_cycle; index-- > cycle * lines_a_cycle;) {
      const BufferRead line = reads.line(index);
      read_cycles += line.cycles;
      (stays == Stays::weights ? timing.weights : timing.activations).add(line);
    }
    timing.load_cycles = std::max(timing.load_cycles + 1, read_cycles);
  }
}

/// Adds up what is read by address in `timing`.
StreamCycles time_stream(const MacArrayConfig& array, const ArrayPorts& ports, OperandReads& reads,
                         PassTiming& timing) {
  const DataflowModel& dataflow = reads.dataflow();
  const PassShape& pass = reads.shape();
  const std::int64_t least = dataflow.step_cycles(array, pass, ports.update_cycles);
  const std::int64_t steps = dataflow.steps(pass);
  const std::int64_t first_sum = dataflow.steps_a_sum(pass) - 1;
  if (reads.has_equal_steps()) {
    const StepRead step = reads.step(0);
    const std::int64_t interval = std::max(least, step.cycles());
    timing.weight_port_cycles = steps * step.weights.cycles;
    timing.activation_port_cycles = steps * step.activations.cycles;
    return {steps * interval, (steps - 1) * interval, first_sum * interval};
  }
  StreamCycles stream;
  for (std::int64_t s = 0; s < steps; ++s) {
    const StepRead step = reads.step(s);
    stream.last_step_cycle = stream.stream_cycles;
    if (s == first_sum) stream.first_sum_cycle = stream.stream_cycles;
    stream.stream_cycles += std::max(least, step.cycles());
    timing.weights.add(step.weights);
    timing.activations.add(step.activations);
    timing.weight_port_cycles += step.weights.cycles;
    timing.activation_port_cycles += step.activations.cycles;
  }
  return stream;
}

}  // namespace

PortlessCycles portless_cycles(const MacArrayConfig& array, const MacTile& tile, std::int64_t update_cycles) {
  const DataflowModel& dataflow = tile.dataflow();
  const PassShape pass = tile.shape();
  PortlessCycles least;
  least.load_cycles = dataflow.fill_cycles(array);
  least.step_cycles = dataflow.step_cycles(array, pass, update_cycles);
  least.last_step_cycle = (dataflow.steps(pass) - 1) * least.step_cycles;
  return least;
}

PassTiming pass_timing(const MacArrayConfig& array, const MacTile& tile, const ArrayPorts& ports) {
  PassTiming timing;
  OperandReads reads(tile, ports);
  time_load(array, ports, reads, timing);
  const StreamCycles stream = time_stream(array, ports, reads, timing);
  static_cast<PassCycles&>(timing) =
      reads.dataflow().timing(array, reads.shape(), stream, ports.update_cycles);
  if (tile.nest->problem().scale_group > 0) timing.drain_cycles += kGroupMultiplierCycles;
  return timing;
}

}  // namespace qsim
