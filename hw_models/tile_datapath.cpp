#include "hw_models/tile_datapath.h"

#include <utility>

#include "hw_models/arithmetic/bit_packing.h"
#include "hw_models/cycle.h"
#include "hw_models/pass_timing.h"
#include "hw_models/tile_operands.h"

namespace qsim {

void TileDatapath::load(const MacTile& tile) {
  TileValues values;
  if (context_.moves_values && tile.nest->dataflow == Dataflow::weight_stationary) {
    values.weights = read_weights(tile, weight_buffer_);
  }
  if (context_.moves_values && tile.nest->dataflow == Dataflow::input_stationary) {
    values.activations = read_activations(tile, activation_buffer_);
  }
  loaded_.push_back(std::move(values));
  const Cycle cycles = pass_timing(config_, tile, weight_buffer_, activation_buffer_).load_cycles;
  if (cycles > 0) sc_core::wait(cycles_to_time(cycles));
}

void TileDatapath::stream(const MacTile& tile, std::function<void()> drained) {
  const PassTiming pass = pass_timing(config_, tile, weight_buffer_, activation_buffer_);
  const Cycle begin = now_cycle();
  const std::int32_t row = tile.nest->row;
  count(tile);
  context_.timeline.record(Span::compute, row, begin, begin + pass.compute_cycles);
  context_.timeline.record(Span::fill_drain, row, begin + pass.compute_cycles, begin + pass.drain_cycles);

  TileValues values = std::move(loaded_.front());
  loaded_.pop_front();
  if (context_.moves_values) {
    if (values.weights.empty()) values.weights = read_weights(tile, weight_buffer_);
    if (values.activations.empty()) values.activations = read_activations(tile, activation_buffer_);
  }
  completions_.at(begin + pass.drain_cycles,
                  [this, tile, values = std::move(values), drained = std::move(drained)] {
                    if (context_.moves_values) accumulate(tile, values, weight_buffer_, accumulators_);
                    drained();
                  });
  sc_core::wait(cycles_to_time(pass.stream_cycles));
}

void TileDatapath::count(const MacTile& tile) {
  const std::int32_t row = tile.nest->row;
  const GemmNest& nest = *tile.nest;
  Activity& events = context_.events(row);
  const std::int64_t weights = tile.chunk_depth * tile.channels();
  // Groups side by side: each column multiplies the rows of its own group only.
  events[Event::macs] += tile.pixels() * weights;
  if (nest.dataflow == Dataflow::weight_stationary) events[Event::weight_register_writes] += weights;
  if (nest.dataflow == Dataflow::input_stationary) {
    events[Event::activation_register_writes] += tile.chunk_depth * tile.columns_used();
  }
  const std::int64_t weight_bytes = arithmetic::packed_bytes(weights, nest.weight_format.bits);
  weight_buffer_.count_read(row, (tile.weights_each_pixel() ? tile.pixels() : 1) * weight_bytes);
  activation_buffer_.count_read(
      row, arithmetic::packed_bytes(activations_read(tile), nest.activation_format.bits));
  const std::int64_t updates = tile.pixels() * tile.channels();
  if (!tile.preload) events[Event::accumulator_reads] += updates;
  events[Event::accumulator_writes] += updates;
  events[Event::accumulator_adds] += updates;
  count_zero_point_adds(tile);
}

/// What streams past a further column or row of adders is added up once; of what stays, each column adds up
/// its own on its way into the PEs.
void TileDatapath::count_zero_point_adds(const MacTile& tile) {
  const GemmNest& nest = *tile.nest;
  std::int64_t& adds = context_.events(nest.row)[Event::zero_point_input_adds];
  if (nest.parameters.asymmetric_weights) adds += tile.pixels() * tile.groups() * tile.chunk_depth;
  if (nest.sums_weights) {
    adds += (tile.weights_each_pixel() ? tile.pixels() : 1) * tile.chunk_depth * tile.channels();
  }
}

}  // namespace qsim
