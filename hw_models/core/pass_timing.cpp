#include "hw_models/core/pass_timing.h"

#include <algorithm>

#include "hw_models/arithmetic/bit_packing.h"

namespace qsim {

namespace {

/// Of what stays, all of it as one run of bytes.
std::int64_t run_cycles(const MacTile& tile, const ArrayPorts& ports) {
  const GemmNest& nest = *tile.nest;
  if (nest.mapping().dataflow == Dataflow::weight_stationary) {
    return ports.weights.read_cycles(
        arithmetic::packed_bytes(tile.chunk_depth * tile.channels(), nest.problem().weight_format.bits));
  }
  return ports.activations.read_cycles(arithmetic::packed_bytes(tile.chunk_depth * tile.columns_used(),
                                                                nest.problem().activation_format.bits));
}

/// A column's sum comes with each step, or with the last chunk of a pixel.
std::int64_t steps_a_sum(const MacTile& tile) {
  const GemmNest& nest = *tile.nest;
  return tile.weights_each_pixel()
             ? ChunkCut(tile.part, nest.mapping().chunk_rows, nest.mapping().reduction).count()
             : 1;
}

/// Lines enter one a cycle, each when the port has read it: the last ones first, those that are not used at
/// once.
void time_load(const MacArrayConfig& array, const MacTile& tile, const ArrayPorts& ports, OperandReads& reads,
               PassTiming& timing) {
  const Dataflow dataflow = tile.nest->mapping().dataflow;
  if (dataflow == Dataflow::output_stationary) return;
  const std::int64_t lines = array.organization == Organization::systolic ? array.rows : array.columns;
  if (!reads.has_lines()) {
    timing.load_cycles = std::max(lines, run_cycles(tile, ports));
    return;
  }
  std::int64_t read_cycles = 0;
  for (std::int64_t index = lines; index-- > 0;) {
    const BufferRead line = reads.line(index);
    read_cycles += line.cycles;
    timing.load_cycles = std::max(timing.load_cycles + 1, read_cycles);
    (dataflow == Dataflow::weight_stationary ? timing.weights : timing.activations).add(line);
  }
}

void time_stream(const MacArrayConfig& array, const MacTile& tile, const ArrayPorts& ports,
                 OperandReads& reads, PassTiming& timing) {
  const std::int64_t least = step_cycles(array, tile, ports);
  const std::int64_t steps = tile.steps();
  if (reads.has_equal_steps()) {
    const std::int64_t interval = std::max(least, reads.step(0).cycles());
    timing.stream_cycles = steps * interval;
    timing.last_step_cycle = (steps - 1) * interval;
    timing.first_sum_cycle = (steps_a_sum(tile) - 1) * interval;
    return;
  }
  const std::int64_t first_sum = steps_a_sum(tile) - 1;
  for (std::int64_t s = 0; s < steps; ++s) {
    const StepRead step = reads.step(s);
    timing.last_step_cycle = timing.stream_cycles;
    if (s == first_sum) timing.first_sum_cycle = timing.stream_cycles;
    timing.stream_cycles += std::max(least, step.cycles());
    timing.weights.add(step.weights);
    timing.activations.add(step.activations);
  }
}

}  // namespace

std::int64_t step_cycles(const MacArrayConfig& array, const MacTile& tile, const ArrayPorts& ports) {
  const GemmNest& nest = *tile.nest;
  const std::int64_t product =
      array.cycles_per_mac(nest.problem().weight_format.bits, nest.problem().activation_format.bits);
  if (tile.keeps_sums_in_pes()) return product;
  return std::max(product, ceil_div(ports.update_cycles, steps_a_sum(tile)));
}

PassTiming pass_timing(const MacArrayConfig& array, const MacTile& tile, const ArrayPorts& ports) {
  const GemmNest& nest = *tile.nest;
  PassTiming timing;
  OperandReads reads(tile, ports);
  time_load(array, tile, ports, reads, timing);
  time_stream(array, tile, ports, reads, timing);
  // Until the first PE has done its last product.
  const std::int64_t entered =
      timing.last_step_cycle +
      array.cycles_per_mac(nest.problem().weight_format.bits, nest.problem().activation_format.bits);
  if (array.organization == Organization::dot_product) {
    timing.compute_cycles = entered;
    timing.drain_cycles = entered + array.tree_cycles();
    timing.bus_cycles = timing.last_step_cycle + ports.update_cycles - timing.first_sum_cycle;
    return timing;
  }
  // Data-dependent sums have adders of their own: of what streams past a further column (of inputs) or, where
  // weights stream down the columns, a further row.
  const bool sums_inputs = nest.problem().parameters.asymmetric_weights;
  const bool inputs_stream_past = nest.mapping().dataflow != Dataflow::input_stationary;
  const bool weights_stream_past = nest.mapping().dataflow != Dataflow::weight_stationary;
  const std::int64_t further = (sums_inputs && inputs_stream_past ? 1 : 0) +
                               (nest.problem().sums_weights && weights_stream_past ? 1 : 0);
  timing.compute_cycles = entered + tile.rows_used() + tile.columns_used() - 2;
  timing.drain_cycles = entered + array.rows + array.columns + further - 2;
  if (tile.keeps_sums_in_pes()) {
    // The last group's first row follows those of the groups before; a column takes the pixels of its group.
    const std::int64_t rows_before = (tile.groups() - 1) * tile.pixels();
    timing.first_sum_cycle = entered - 1;
    timing.bus_cycles = tile.pixels() * ports.update_cycles;
    timing.group_cycles = tile.pixels();
    timing.drain_cycles =
        std::max(timing.drain_cycles,
                 entered + rows_before + (tile.pixels() - 1) * ports.update_cycles + tile.columns_used() - 1);
  }
  return timing;
}

}  // namespace qsim
