#include "hw_models/core/mac_array.h"

#include <algorithm>
#include <utility>

namespace qsim {

namespace {

constexpr int kTileQueueDepth = 4;

}  // namespace

MacArray::MacArray(sc_core::sc_module_name name, const MacArrayConfig& config, const ArrayPorts& ports,
                   SramBuffer& weight_buffer, SramBuffer& activation_buffer, ArrayDatapath& datapath,
                   ChipContext& context)
    : sc_module(name),
      tiles("tiles", kTileQueueDepth),
      config_(config),
      ports_(ports),
      weight_buffer_(weight_buffer),
      activation_buffer_(activation_buffer),
      datapath_(datapath),
      context_(context),
      loaded_("loaded", 1) {
  registers_free_.reset(1);
  sc_core::sc_spawn([this] { context_.guard([this] { run_loader(); }); },
                    sc_core::sc_gen_unique_name("loader"));
  sc_core::sc_spawn([this] { context_.guard([this] { run_streamer(); }); },
                    sc_core::sc_gen_unique_name("streamer"));
}

void MacArray::run_loader() {
  while (true) {
    auto loaded = std::make_shared<LoadedTile>();
    loaded->tile = tiles.read();
    const MacTile& tile = loaded->tile;
    if (tile.nest == nullptr) {
      loaded_.write(loaded);
      return;
    }
    const Stays stays = tile.dataflow().stays();
    const bool weights_stay = stays == Stays::weights;
    const bool inputs_stay = stays == Stays::inputs;
    if (weights_stay && tile.takes_weights) context_.tokens.weights_ready.acquire();
    if (inputs_stay && tile.takes_input) context_.tokens.inputs_ready.acquire();
    loaded->ready = now_cycle();
    registers_free_.acquire();
    const Cycle begin = now_cycle();
    SramBuffer& buffer = weights_stay ? weight_buffer_ : activation_buffer_;
    if (weights_stay || inputs_stay) buffer.begin_read();
    datapath_.load(tile);
    if (weights_stay || inputs_stay) buffer.end_read();
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
    const bool inputs_stay = tile.dataflow().stays() == Stays::inputs;
    const Cycle waiting_since = std::max(idle_since, tile.issue_cycle);
    context_.timeline.record(inputs_stay ? Span::wait_activations : Span::wait_weights, tile.nest->row,
                             waiting_since, loaded->ready);
    take_dependencies(tile);
    stream(tile);
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
  const DataflowModel& dataflow = tile.dataflow();
  take(tile.takes_parameters, tokens.parameters_ready, Span::wait_weights);
  take(tile.takes_weights && dataflow.streams_weights(), tokens.weights_ready, Span::wait_weights);
  take(tile.takes_input && dataflow.streams_inputs(), tokens.inputs_ready, Span::wait_activations);
  take(tile.takes_accumulators, tokens.accumulators_free, Span::wait_accumulators);
  take(tile.takes_output_space, tokens.outputs_free, Span::wait_output_space);
}

/// Sums that stay leave one after the other over the bus of their column: short reductions wait until those
/// of the passes before have left, those of each group for the buses of its own columns.
void MacArray::wait_for_buses(const MacTile& tile, const PassTiming& pass) {
  const Cycle since = now_cycle();
  buses_free_from_.resize(std::max(buses_free_from_.size(), static_cast<std::size_t>(tile.groups())));
  Cycle begin = since;
  for (std::int64_t g = 0; g < tile.groups(); ++g) {
    const Cycle first_sum = pass.first_sum_cycle + g * pass.group_cycles;
    begin = std::max(begin, buses_free_from_[static_cast<std::size_t>(g)] - first_sum);
  }
  wait_until(begin);
  context_.timeline.record(Span::fill_drain, tile.nest->row, since, now_cycle());
}

void MacArray::occupy_buses(const MacTile& tile, const PassTiming& pass, Cycle last_step) {
  const Cycle first_sum = last_step - pass.last_step_cycle + pass.first_sum_cycle;
  for (std::int64_t g = 0; g < tile.groups(); ++g) {
    buses_free_from_[static_cast<std::size_t>(g)] = first_sum + g * pass.group_cycles + pass.bus_cycles;
  }
}

void MacArray::stream(const MacTile& tile) {
  const GemmNest& nest = *tile.nest;
  ++context_.events(nest.row)[Event::commands];
  // The biases of the channels.
  if (tile.preload)
    weight_buffer_.count_read(nest.row, tile.channels() * nest.problem().parameters.preload_bytes);
  const DataflowModel& dataflow = tile.dataflow();
  const bool reads_weights = dataflow.streams_weights();
  const bool reads_inputs = dataflow.streams_inputs();
  PassTiming pass;
  const bool sums_stay = dataflow.stays() == Stays::sums;
  if (sums_stay) {
    pass = timing(tile);
    wait_for_buses(tile, pass);
  }
  const Cycle since = now_cycle();
  if (reads_weights) weight_buffer_.begin_read();
  if (reads_inputs) activation_buffer_.begin_read();
  context_.timeline.record(Span::wait_activations, nest.row, since, now_cycle());
  // With a second register the first is free for the next tile as soon as the wavefront has started, which it
  // does now: no burst has the ports in this cycle.
  if (config_.double_buffered_weights) registers_free_.release();
  const Cycle last_step = datapath_.stream(tile, [this, last = tile.last] {
    if (last) context_.tokens.accumulators_ready.release();
    if (!config_.double_buffered_weights) registers_free_.release();
  });
  if (sums_stay) occupy_buses(tile, pass, last_step);
  if (reads_weights) weight_buffer_.end_read();
  if (reads_inputs) activation_buffer_.end_read();
  if (tile.gives_input && reads_inputs) context_.tokens.inputs_free.release();
  if (tile.gives_weights && reads_weights) context_.tokens.weights_free.release();
}

}  // namespace qsim
