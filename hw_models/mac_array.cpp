#include "hw_models/mac_array.h"

#include <algorithm>
#include <utility>

#include "hw_models/arithmetic/bit_packing.h"
#include "hw_models/cycle.h"
#include "hw_models/parameters.h"
#include "hw_models/tile_operands.h"

namespace qsim {

namespace {

constexpr int kTileQueueDepth = 4;

std::int64_t activation_bytes_per_pixel(const MacTile& tile) {
  return arithmetic::packed_bytes(tile.rows_used(), tile.nest->activation_format.bits);
}

}  // namespace

struct LoadedTile {
  MacTile tile;
  std::vector<std::int64_t> weights;  ///< [rows_used][columns of a group]; empty where no values move.
  Cycle weights_ready = 0;            ///< The buffer held them from this cycle on.
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

PassTiming MacArray::timing(const MacTile& tile) const {
  PassTiming timing;
  const std::int64_t product_cycles =
      config_.cycles_per_mac(tile.nest->weight_format.bits, tile.nest->activation_format.bits);
  timing.interval =
      std::max(product_cycles, activation_buffer_.read_cycles(activation_bytes_per_pixel(tile)));
  timing.stream_cycles = tile.pixels() * timing.interval;
  const std::int64_t entered = (tile.pixels() - 1) * timing.interval + product_cycles - 1;
  // Asymmetric weights: a further column of adders sums the inputs of each pixel.
  const std::int64_t columns = config_.columns + (tile.nest->parameters.asymmetric_weights ? 1 : 0);
  timing.compute_cycles = entered + tile.rows_used() + tile.columns_used() - 1;
  timing.drain_cycles = entered + config_.rows + columns - 1;
  const std::int64_t stored =
      arithmetic::packed_bytes(tile.chunk_depth * tile.columns_used(), tile.nest->weight_format.bits);
  timing.load_cycles = std::max(config_.rows, weight_buffer_.read_cycles(stored));
  return timing;
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
    if (tile.takes_weights) context_.tokens.weights_ready.acquire();
    loaded->weights_ready = now_cycle();
    registers_free_.acquire();
    const Cycle begin = now_cycle();
    if (context_.moves_values) loaded->weights = read_weights(tile);
    sc_core::wait(cycles_to_time(timing(tile).load_cycles));
    context_.timeline.record(Span::weight_load, tile.nest->row, begin, now_cycle());
    if (tile.gives_weights) context_.tokens.weights_free.release();
    loaded_.write(loaded);
  }
}

void MacArray::run_streamer() {
  while (true) {
    const Cycle idle_since = now_cycle();
    const std::shared_ptr<const LoadedTile> loaded = loaded_.read();
    if (loaded->tile.nest == nullptr) return;
    // Before the weights were in the buffer the array waited for them; afterwards it was loading them.
    const Cycle waiting_since = std::max(idle_since, loaded->tile.issue_cycle);
    context_.timeline.record(Span::wait_weights, loaded->tile.nest->row, waiting_since,
                             loaded->weights_ready);
    take_dependencies(*loaded);
    stream(*loaded);
  }
}

void MacArray::take_dependencies(const LoadedTile& loaded) {
  const MacTile& tile = loaded.tile;
  const auto take = [&](bool needed, Token& token, Span reason) {
    if (!needed) return;
    const Cycle since = now_cycle();
    token.acquire();
    context_.timeline.record(reason, tile.nest->row, since, now_cycle());
  };
  Tokens& tokens = context_.tokens;
  take(tile.takes_parameters, tokens.parameters_ready, Span::wait_weights);
  take(tile.takes_input, tokens.inputs_ready, Span::wait_activations);
  take(tile.takes_accumulators, tokens.accumulators_free, Span::wait_accumulators);
  take(tile.takes_output_space, tokens.outputs_free, Span::wait_output_space);
}

void MacArray::stream(const LoadedTile& loaded) {
  const MacTile tile = loaded.tile;
  const PassTiming pass = timing(tile);
  const Cycle begin = now_cycle();
  const std::int32_t row = tile.nest->row;
  count(tile);
  context_.timeline.record(Span::compute, row, begin, begin + pass.compute_cycles);
  context_.timeline.record(Span::fill_drain, row, begin + pass.compute_cycles, begin + pass.drain_cycles);

  std::vector<std::int64_t> activations;
  if (context_.moves_values) activations = read_activations(tile);
  completions_.at(begin + pass.drain_cycles,
                  [this, tile, weights = loaded.weights, activations = std::move(activations)] {
                    if (context_.moves_values) accumulate(tile, weights, activations);
                    if (tile.last) context_.tokens.accumulators_ready.release();
                    if (!config_.double_buffered_weights) registers_free_.release();
                  });
  // With a second register the first is free for the next weights as soon as the wavefront has started.
  if (config_.double_buffered_weights) registers_free_.release();
  sc_core::wait(cycles_to_time(pass.stream_cycles));
  if (tile.gives_input) context_.tokens.inputs_free.release();
}

void MacArray::count(const MacTile& tile) {
  const std::int32_t row = tile.nest->row;
  Activity& events = context_.events(row);
  ++events[Event::commands];
  // Groups side by side: each column multiplies the rows of its own group only.
  events[Event::macs] += tile.pixels() * tile.chunk_depth * tile.columns_used();
  events[Event::weight_register_writes] += tile.chunk_depth * tile.columns_used();
  weight_buffer_.count_read(
      row, arithmetic::packed_bytes(tile.chunk_depth * tile.columns_used(), tile.nest->weight_format.bits));
  activation_buffer_.count_read(
      row, arithmetic::packed_bytes(activations_read(tile), tile.nest->activation_format.bits));
  const std::int64_t updates = tile.pixels() * tile.columns_used();
  if (tile.preload) {
    weight_buffer_.count_read(row, tile.columns_used() * tile.nest->parameters.preload_bytes);
  } else {
    events[Event::accumulator_reads] += updates;
  }
  events[Event::accumulator_writes] += updates;
  events[Event::accumulator_adds] += updates;
  if (tile.nest->parameters.asymmetric_weights) {
    events[Event::zero_point_input_adds] += tile.pixels() * tile.rows_used();
  }
  // An adder a column sums the weights on their way into the PEs.
  if (tile.nest->sums_weights) events[Event::zero_point_input_adds] += tile.chunk_depth * tile.columns_used();
}

std::vector<std::int64_t> MacArray::read_weights(const MacTile& tile) const {
  const arithmetic::IntegerFormat format = tile.nest->weight_format;
  const std::int64_t count = tile.chunk_depth * tile.columns_used();
  std::vector<std::int64_t> weights(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    weights[static_cast<std::size_t>(i)] =
        weight_buffer_.read(8 * tile.weights_address + i * format.bits, format);
  }
  return weights;
}

std::vector<std::int64_t> MacArray::read_activations(const MacTile& tile) const {
  const ConvolutionGeometry& g = tile.nest->geometry;
  const std::int64_t width = tile.output.extent(kColumn);
  std::vector<std::int64_t> values;
  values.reserve(static_cast<std::size_t>(tile.pixels() * tile.rows_used()));
  for (std::int64_t pixel = tile.pixel_begin; pixel < tile.pixel_end; ++pixel) {
    const std::int64_t out_row = tile.output.begin[kRow] + pixel / width;
    const std::int64_t out_column = tile.output.begin[kColumn] + pixel % width;
    for (std::int64_t group = tile.columns.group_begin; group < tile.columns.group_end; ++group) {
      for (std::int64_t k = tile.chunk_begin; k < tile.chunk_begin + tile.chunk_depth; ++k) {
        const Tap tap = tap_of(tile.part, k);
        const std::int64_t row = input_coordinate(out_row, tap.kernel_h, g.stride_h, g.dilation_h, g.pad_top,
                                                  g.input_dilation_h, g.input[kRow]);
        const std::int64_t column = input_coordinate(out_column, tap.kernel_w, g.stride_w, g.dilation_w,
                                                     g.pad_left, g.input_dilation_w, g.input[kColumn]);
        if (row < 0 || column < 0) {
          values.push_back(g.input_zero_point);
          continue;
        }
        const std::int64_t channel = group * g.group_channels() + tap.channel;
        const std::int64_t address = tile.input.bit_address(
            tile.output.begin[kBatch] - tile.input_origin[kBatch], row - tile.input_origin[kRow],
            column - tile.input_origin[kColumn], channel - tile.input_origin[kChannel]);
        values.push_back(activation_buffer_.read(address, tile.input.format));
      }
    }
  }
  return values;
}

void MacArray::accumulate(const MacTile& tile, const std::vector<std::int64_t>& weights,
                          const std::vector<std::int64_t>& activations) {
  const std::int64_t group_columns = tile.columns_used() / tile.columns.groups();
  const std::int64_t depth = tile.chunk_depth;
  const ParameterReader parameters(weight_buffer_, *tile.nest, tile.parameters_address,
                                   tile.block_channel_begin);
  std::vector<std::int64_t> preloads;
  for (std::int64_t column = 0; tile.preload && column < tile.columns_used(); ++column) {
    preloads.push_back(parameters.preload(tile.columns.channel_begin + column));
  }
  for (std::int64_t pixel = 0; pixel < tile.pixels(); ++pixel) {
    const std::int64_t entry = tile.accumulator_base + pixel;
    for (std::int64_t group = 0; group < tile.columns.groups(); ++group) {
      const std::int64_t* inputs =
          &activations[static_cast<std::size_t>(pixel * tile.rows_used() + group * depth)];
      std::int64_t input_sum = 0;
      for (std::int64_t k = 0; k < depth; ++k) input_sum += inputs[k];
      for (std::int64_t c = 0; c < group_columns; ++c) {
        const std::int64_t column = group * group_columns + c;
        std::int64_t sum = 0;
        for (std::int64_t k = 0; k < depth; ++k) {
          sum += weights[static_cast<std::size_t>((group * depth + k) * group_columns + c)] * inputs[k];
        }
        if (tile.preload) {
          accumulators_.preload(tile.nest->row, entry, column, preloads[static_cast<std::size_t>(column)]);
        }
        accumulators_.add(tile.nest->row, entry, column, sum);
        if (tile.nest->parameters.asymmetric_weights) {
          accumulators_.add_input_sum(entry, column, input_sum, tile.preload);
        }
        if (tile.nest->sums_weights) {
          std::int64_t weight_sum = 0;
          for (std::int64_t k = 0; k < depth; ++k) {
            weight_sum += weights[static_cast<std::size_t>((group * depth + k) * group_columns + c)];
          }
          accumulators_.add_weight_sum(entry, column, weight_sum, tile.preload);
        }
      }
    }
  }
}

}  // namespace qsim
