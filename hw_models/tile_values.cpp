#include "hw_models/tile_values.h"

#include "hw_models/parameters.h"
#include "hw_models/tile_operands.h"

namespace qsim {

std::vector<std::int64_t> read_weights(const MacTile& tile, const SramBuffer& weight_buffer) {
  const arithmetic::IntegerFormat format = tile.nest->weight_format;
  const WeightOrder order(tile.nest->dataflow, tile.groups(), tile.chunk_depth, tile.group_channels());
  std::vector<std::int64_t> weights;
  weights.reserve(static_cast<std::size_t>(tile.chunk_depth * tile.channels()));
  for (std::int64_t group = 0; group < tile.groups(); ++group) {
    for (std::int64_t k = 0; k < tile.chunk_depth; ++k) {
      for (std::int64_t c = 0; c < tile.group_channels(); ++c) {
        const std::int64_t bit = 8 * tile.weights_address + order.index(group, k, c) * format.bits;
        weights.push_back(weight_buffer.read(bit, format));
      }
    }
  }
  return weights;
}

std::vector<std::int64_t> read_activations(const MacTile& tile, const SramBuffer& activation_buffer) {
  const ConvolutionGeometry& g = tile.nest->geometry;
  const std::int64_t width = tile.output.extent(kColumn);
  std::vector<std::int64_t> values;
  values.reserve(static_cast<std::size_t>(tile.pixels() * tile.groups() * tile.chunk_depth));
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
        values.push_back(activation_buffer.read(address, tile.input.format));
      }
    }
  }
  return values;
}

void accumulate(const MacTile& tile, const std::vector<std::int64_t>& weights,
                const std::vector<std::int64_t>& activations, const SramBuffer& weight_buffer,
                AccumulatorBank& accumulators) {
  const std::int64_t group_channels = tile.group_channels();
  const std::int64_t depth = tile.chunk_depth;
  const std::int32_t row = tile.nest->row;
  const ParameterReader parameters(weight_buffer, *tile.nest, tile.parameters_address,
                                   tile.block_channel_begin);
  for (std::int64_t channel = 0; channel < tile.channels(); ++channel) {
    const std::int64_t group = channel / group_channels;
    const std::int64_t* column =
        &weights[static_cast<std::size_t>(group * depth * group_channels + channel % group_channels)];
    const std::int64_t preload = tile.preload ? parameters.preload(tile.columns.channel_begin + channel) : 0;
    for (std::int64_t pixel = 0; pixel < tile.pixels(); ++pixel) {
      const std::int64_t* inputs =
          &activations[static_cast<std::size_t>((pixel * tile.groups() + group) * depth)];
      std::int64_t sum = 0;
      std::int64_t input_sum = 0;
      std::int64_t weight_sum = 0;
      for (std::int64_t k = 0; k < depth; ++k) {
        sum += column[k * group_channels] * inputs[k];
        input_sum += inputs[k];
        weight_sum += column[k * group_channels];
      }
      AccumulatorCell cell =
          accumulator_cell(tile.nest->dataflow, tile.columns, tile.pixels(), pixel, channel);
      cell.entry += tile.accumulator_base;
      if (tile.preload) accumulators.preload(row, cell.entry, cell.column, preload);
      accumulators.add(row, cell.entry, cell.column, sum);
      if (tile.nest->parameters.asymmetric_weights) {
        accumulators.add_input_sum(cell.entry, cell.column, input_sum, tile.preload);
      }
      if (tile.nest->sums_weights) {
        accumulators.add_weight_sum(cell.entry, cell.column, weight_sum, tile.preload);
      }
    }
  }
}

}  // namespace qsim
