#include "hw_models/core/tile_datapath.h"

#include <algorithm>
#include <utility>

#include "hw_models/arithmetic/bit_packing.h"
#include "hw_models/core/tile_operands.h"
#include "hw_models/cycle.h"

namespace qsim {

namespace {

/// Waits for `cycles` in which no burst has the ports of a buffer that is read.
void wait_while_reading(const BufferIf& one, const BufferIf& other, Cycle cycles) {
  if (cycles > 0 && !one.stops_reads() && !other.stops_reads()) {
    sc_core::wait(cycles_to_time(cycles));
    return;
  }
  while (cycles > 0) {
    const Cycle since = now_cycle();
    const Cycle taken = std::min(one.next_taken(), other.next_taken());
    if (taken <= since) {
      sc_core::wait(cycles_to_time(1));
      continue;
    }
    sc_core::wait(cycles_to_time(std::min(cycles, taken - since)), one.burst_event() | other.burst_event());
    cycles -= now_cycle() - since;
  }
}

/// Waits until no burst has the ports in the present cycle.
void wait_for_ports(const BufferIf& one, const BufferIf& other) {
  while (std::min(one.next_taken(), other.next_taken()) <= now_cycle()) sc_core::wait(cycles_to_time(1));
}

}  // namespace

void TileDatapath::load(const MacTile& tile) {
  Loaded loaded;
  loaded.timing = pass_timing(config_, tile, ports_);
  const Stays stays = tile.dataflow().stays();
  const bool weights_stay = stays == Stays::weights;
  if (moves_values_ && weights_stay) loaded.values.weights = read_weights(tile, weight_buffer_.storage());
  if (moves_values_ && stays == Stays::inputs) {
    loaded.values.activations = read_activations(tile, activation_buffer_.storage());
    loaded.values.exponents = read_exponents(tile, activation_buffer_.storage());
  }
  const BufferIf& buffer = weights_stay ? weight_buffer_ : activation_buffer_;
  const Cycle cycles = loaded.timing.load_cycles;
  loaded_.push_back(std::move(loaded));
  wait_while_reading(buffer, buffer, cycles);
}

Cycle TileDatapath::stream(const MacTile& tile, std::function<void()> drained) {
  auto [pass, values] = std::move(loaded_.front());
  loaded_.pop_front();
  if (moves_values_) {
    if (values.weights.empty()) values.weights = read_weights(tile, weight_buffer_.storage());
    if (values.activations.empty()) {
      values.activations = read_activations(tile, activation_buffer_.storage());
      values.exponents = read_exponents(tile, activation_buffer_.storage());
    }
  }
  count(tile, pass);
  const DataflowModel& dataflow = tile.dataflow();
  const BufferIf& inputs = dataflow.streams_inputs() ? activation_buffer_ : weight_buffer_;
  const BufferIf& weights = dataflow.streams_weights() ? weight_buffer_ : activation_buffer_;
  const Cycle begin = now_cycle();
  wait_while_reading(inputs, weights, pass.last_step_cycle);
  wait_for_ports(inputs, weights);
  const Cycle last_step = now_cycle();
  // The rest of the pass follows the last step, whatever stopped those before.
  const Cycle origin = last_step - pass.last_step_cycle;
  const PortlessCycles least = portless_cycles(config_, tile, ports_.update_cycles);
  recorder_.timeline.record_pass(tile.nest->row, {begin, begin + least.last_step_cycle, last_step,
                                                  origin + pass.compute_cycles, origin + pass.drain_cycles});
  completions_.at(origin + pass.drain_cycles,
                  [this, tile, values = std::move(values), drained = std::move(drained)] {
                    if (moves_values_) accumulate(tile, values, weight_buffer_.storage(), accumulators_);
                    drained();
                  });
  wait_while_reading(inputs, weights, pass.stream_cycles - pass.last_step_cycle);
  return last_step;
}

void TileDatapath::count(const MacTile& tile, const PassTiming& pass) {
  const GemmNest& nest = *tile.nest;
  Activity& events = recorder_.events(nest.row);
  const std::int64_t weights = tile.chunk_depth * tile.channels();
  // Groups side by side: each column multiplies the rows of its own group only.
  events[Event::macs] += tile.pixels() * weights;
  const Stays stays = tile.dataflow().stays();
  if (stays == Stays::weights) events[Event::weight_register_writes] += weights;
  if (stays == Stays::inputs) {
    events[Event::activation_register_writes] += tile.pixels() * tile.groups() * tile.chunk_depth;
  }
  const std::int64_t updates = tile.pixels() * tile.channels();
  if (!tile.preload) events[Event::accumulator_reads] += updates;
  events[Event::accumulator_writes] += updates;
  events[Event::accumulator_adds] += updates;
  if (nest.problem().in_blocks) {
    events[Event::block_shifts] += updates;
  } else if (nest.problem().scale_group > 0) {
    events[Event::group_multiplies] += updates;
    if (nest.problem().parameters.asymmetric_weights) events[Event::zero_point_corrections] += updates;
  }
  count_reads(tile, pass);
  count_zero_point_adds(tile);
}

void TileDatapath::count_reads(const MacTile& tile, const PassTiming& pass) {
  const GemmNest& nest = *tile.nest;
  if (reads_by_address(weight_buffer_.config())) {
    count_reads_by_address(weight_buffer_, nest.row, pass.weights);
  } else {
    const std::int64_t weight_bytes =
        arithmetic::packed_bytes(tile.chunk_depth * tile.channels(), nest.problem().weight_format.bits);
    weight_buffer_.count_read(nest.row, tile.dataflow().weight_sweeps(tile.shape()) * weight_bytes);
  }
  if (reads_by_address(activation_buffer_.config())) {
    count_reads_by_address(activation_buffer_, nest.row, pass.activations);
  } else {
    activation_buffer_.count_read(
        nest.row, arithmetic::packed_bytes(activations_read(tile), nest.problem().activation_format.bits));
  }
}

/// What streams past a further column or row of adders is added up once; of what stays, each column adds up
/// its own on its way into the PEs.
void TileDatapath::count_zero_point_adds(const MacTile& tile) {
  const GemmNest& nest = *tile.nest;
  std::int64_t& adds = recorder_.events(nest.row)[Event::zero_point_input_adds];
  if (nest.problem().parameters.asymmetric_weights) adds += tile.pixels() * tile.groups() * tile.chunk_depth;
  if (nest.problem().sums_weights) {
    adds += tile.dataflow().weight_sweeps(tile.shape()) * tile.chunk_depth * tile.channels();
  }
}

}  // namespace qsim
