#include "hw_models/mac_array.h"

#include <algorithm>
#include <utility>

#include "hw_models/arithmetic/bit_packing.h"
#include "hw_models/tile_operands.h"
#include "hw_models/tile_values.h"

namespace qsim {

namespace {

constexpr int kTileQueueDepth = 4;

}  // namespace

struct LoadedTile {
  MacTile tile;
  std::vector<std::int64_t> weights, activations;  ///< Those that stay; empty where no values move.
  Cycle ready = 0;                                 ///< The buffer held them from this cycle on.
};

MacArray::MacArray(sc_core::sc_module_name name, const MacArrayConfig& config, SramBuffer& weight_buffer,
                   SramBuffer& activation_buffer, AccumulatorBank& accumulators, Completions& completions,
                   ChipContext& context)
    : sc_module(name),
      tiles("tiles", kTileQueueDepth),
      config_(config),
      weight_buffer_(weight_buffer),
      activation_buffer_(activation_buffer),
      accumulators_(accumulators),
      completions_(completions),
      context_(context),
      loaded_("loaded", 1) {
  registers_free_.reset(1);
  sc_core::sc_spawn([this] { context_.guard([this] { run_loader(); }); },
                    sc_core::sc_gen_unique_name("loader"));
  sc_core::sc_spawn([this] { context_.guard([this] { run_streamer(); }); },
                    sc_core::sc_gen_unique_name("streamer"));
}

MacArray::~MacArray() = default;

void MacArray::run_loader() {
  while (true) {
    auto loaded = std::make_shared<LoadedTile>();
    loaded->tile = tiles.read();
    const MacTile& tile = loaded->tile;
    if (tile.nest == nullptr) {
      loaded_.write(loaded);
      return;
    }
    const bool weights_stay = tile.nest->dataflow == Dataflow::weight_stationary;
    const bool inputs_stay = tile.nest->dataflow == Dataflow::input_stationary;
    if (weights_stay && tile.takes_weights) context_.tokens.weights_ready.acquire();
    if (inputs_stay && tile.takes_input) context_.tokens.inputs_ready.acquire();
    loaded->ready = now_cycle();
    registers_free_.acquire();
    const Cycle begin = now_cycle();
    if (context_.moves_values && weights_stay) loaded->weights = read_weights(tile, weight_buffer_);
    if (context_.moves_values && inputs_stay)
      loaded->activations = read_activations(tile, activation_buffer_);
    if (const Cycle cycles = timing(tile).load_cycles; cycles > 0) sc_core::wait(cycles_to_time(cycles));
    context_.timeline.record(Span::weight_load, tile.nest->row, begin, now_cycle());
    if (weights_stay && tile.gives_weights) context_.tokens.weights_free.release();
    if (inputs_stay && tile.gives_input) context_.tokens.inputs_free.release();
    loaded_.write(loaded);
  }
}

void MacArray::run_streamer() {
  while (true) {
    const Cycle idle_since = now_cycle();
    const std::shared_ptr<const LoadedTile> loaded = loaded_.read();
    const MacTile& tile = loaded->tile;
    if (tile.nest == nullptr) return;
    // Before the buffer held what stays, the array waited for it; afterwards it was loading.
    const bool inputs_stay = tile.nest->dataflow == Dataflow::input_stationary;
    const Cycle waiting_since = std::max(idle_since, tile.issue_cycle);
    context_.timeline.record(inputs_stay ? Span::wait_activations : Span::wait_weights, tile.nest->row,
                             waiting_since, loaded->ready);
    take_dependencies(tile);
    wait_for_bus(tile);
    stream(*loaded);
  }
}

void MacArray::take_dependencies(const MacTile& tile) {
  const auto take = [&](bool needed, Token& token, Span reason) {
    if (!needed) return;
    const Cycle since = now_cycle();
    token.acquire();
    context_.timeline.record(reason, tile.nest->row, since, now_cycle());
  };
  Tokens& tokens = context_.tokens;
  const Dataflow dataflow = tile.nest->dataflow;
  take(tile.takes_parameters, tokens.parameters_ready, Span::wait_weights);
  take(tile.takes_weights && dataflow != Dataflow::weight_stationary, tokens.weights_ready,
       Span::wait_weights);
  take(tile.takes_input && dataflow != Dataflow::input_stationary, tokens.inputs_ready,
       Span::wait_activations);
  take(tile.takes_accumulators, tokens.accumulators_free, Span::wait_accumulators);
  take(tile.takes_output_space, tokens.outputs_free, Span::wait_output_space);
}

/// Sums that stay in the PEs leave one a cycle a column: short reductions wait until those of the pass before
/// have left.
void MacArray::wait_for_bus(const MacTile& tile) {
  if (!config_.keeps_sums_in_pes()) return;
  const PassTiming pass = timing(tile);
  const Cycle since = now_cycle();
  wait_until(bus_free_from_ - pass.first_sum_cycle);
  context_.timeline.record(Span::fill_drain, tile.nest->row, since, now_cycle());
  bus_free_from_ = now_cycle() + pass.bus_free_cycle;
}

void MacArray::stream(const LoadedTile& loaded) {
  const MacTile tile = loaded.tile;
  const PassTiming pass = timing(tile);
  const Cycle begin = now_cycle();
  const std::int32_t row = tile.nest->row;
  count(tile);
  context_.timeline.record(Span::compute, row, begin, begin + pass.compute_cycles);
  context_.timeline.record(Span::fill_drain, row, begin + pass.compute_cycles, begin + pass.drain_cycles);

  std::vector<std::int64_t> weights = loaded.weights;
  std::vector<std::int64_t> activations = loaded.activations;
  if (context_.moves_values && weights.empty()) weights = read_weights(tile, weight_buffer_);
  if (context_.moves_values && activations.empty()) activations = read_activations(tile, activation_buffer_);
  completions_.at(begin + pass.drain_cycles,
                  [this, tile, weights = std::move(weights), activations = std::move(activations)] {
                    if (context_.moves_values)
                      accumulate(tile, weights, activations, weight_buffer_, accumulators_);
                    if (tile.last) context_.tokens.accumulators_ready.release();
                    if (!config_.double_buffered_weights) registers_free_.release();
                  });
  // With a second register the first is free for the next tile as soon as the wavefront has started.
  if (config_.double_buffered_weights) registers_free_.release();
  sc_core::wait(cycles_to_time(pass.stream_cycles));
  const Dataflow dataflow = tile.nest->dataflow;
  if (tile.gives_input && dataflow != Dataflow::input_stationary) context_.tokens.inputs_free.release();
  if (tile.gives_weights && dataflow != Dataflow::weight_stationary) context_.tokens.weights_free.release();
}

void MacArray::count(const MacTile& tile) {
  const std::int32_t row = tile.nest->row;
  const GemmNest& nest = *tile.nest;
  Activity& events = context_.events(row);
  const std::int64_t weights = tile.chunk_depth * tile.channels();
  // Sums of a dot product stay while weights stream for each pixel anew.
  const bool weights_each_pixel =
      nest.dataflow == Dataflow::output_stationary && nest.organization == Organization::dot_product;
  const std::int64_t weight_reads = weights_each_pixel ? tile.pixels() : 1;
  ++events[Event::commands];
  // Groups side by side: each column multiplies the rows of its own group only.
  events[Event::macs] += tile.pixels() * weights;
  if (nest.dataflow == Dataflow::weight_stationary) events[Event::weight_register_writes] += weights;
  if (nest.dataflow == Dataflow::input_stationary) {
    events[Event::activation_register_writes] += tile.chunk_depth * tile.columns_used();
  }
  weight_buffer_.count_read(row, weight_reads * arithmetic::packed_bytes(weights, nest.weight_format.bits));
  activation_buffer_.count_read(
      row, arithmetic::packed_bytes(activations_read(tile), nest.activation_format.bits));
  const std::int64_t updates = tile.pixels() * tile.channels();
  if (tile.preload) {
    weight_buffer_.count_read(row, tile.channels() * nest.parameters.preload_bytes);
  } else {
    events[Event::accumulator_reads] += updates;
  }
  events[Event::accumulator_writes] += updates;
  events[Event::accumulator_adds] += updates;
  count_zero_point_adds(tile);
}

/// What streams past a further column or row of adders is added up once; of what stays, each column adds up
/// its own on its way into the PEs.
void MacArray::count_zero_point_adds(const MacTile& tile) {
  const GemmNest& nest = *tile.nest;
  std::int64_t& adds = context_.events(nest.row)[Event::zero_point_input_adds];
  if (nest.parameters.asymmetric_weights) adds += tile.pixels() * tile.groups() * tile.chunk_depth;
  if (nest.sums_weights) {
    const bool each_pixel =
        nest.dataflow == Dataflow::output_stationary && nest.organization == Organization::dot_product;
    adds += (each_pixel ? tile.pixels() : 1) * tile.chunk_depth * tile.channels();
  }
}

}  // namespace qsim
