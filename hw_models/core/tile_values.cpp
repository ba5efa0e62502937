#include "hw_models/core/tile_values.h"

#include "hw_models/core/parameters.h"
#include "hw_models/core/tile_operands.h"

namespace qsim {

TileReader::TileReader(const MacTile& tile, const BufferStorage& weight_buffer,
                       const BufferStorage& activation_buffer, bool moves_values)
    : tile_(tile),
      weight_buffer_(weight_buffer),
      activation_buffer_(activation_buffer),
      order_(tile.dataflow().weight_order(tile.groups(), tile.chunk_depth, tile.group_channels())),
      moves_values_(moves_values) {}

std::int64_t TileReader::weight(std::int64_t group, std::int64_t k, std::int64_t channel) const {
  if (!moves_values_) return 0;
  const arithmetic::IntegerFormat format = tile_.nest->problem().weight_format;
  return weight_buffer_.read(8 * tile_.weights_address + order_.index(group, k, channel) * format.bits,
                             format);
}

Operand TileReader::activation(std::int64_t pixel, std::int64_t group, std::int64_t k) const {
  const std::optional<std::int64_t> address = activation_address(tile_, pixel, group, k);
  if (!moves_values_) return {0, address.has_value()};
  if (!address) return {tile_.nest->problem().geometry.input_zero_point, false};
  return {activation_buffer_.read(*address, tile_.input.format), true};
}

std::vector<std::int64_t> read_weights(const MacTile& tile, const BufferStorage& weight_buffer) {
  const TileReader reader(tile, weight_buffer, weight_buffer, true);
  std::vector<std::int64_t> weights;
  weights.reserve(static_cast<std::size_t>(tile.chunk_depth * tile.channels()));
  for (std::int64_t group = 0; group < tile.groups(); ++group) {
    for (std::int64_t k = 0; k < tile.chunk_depth; ++k) {
      for (std::int64_t c = 0; c < tile.group_channels(); ++c) weights.push_back(reader.weight(group, k, c));
    }
  }
  return weights;
}

std::vector<std::int64_t> read_activations(const MacTile& tile, const BufferStorage& activation_buffer) {
  const TileReader reader(tile, activation_buffer, activation_buffer, true);
  std::vector<std::int64_t> values;
  values.reserve(static_cast<std::size_t>(tile.pixels() * tile.groups() * tile.chunk_depth));
  for (std::int64_t pixel = 0; pixel < tile.pixels(); ++pixel) {
    for (std::int64_t group = 0; group < tile.groups(); ++group) {
      for (std::int64_t k = 0; k < tile.chunk_depth; ++k) {
        values.push_back(reader.activation(pixel, group, k).value);
      }
    }
  }
  return values;
}

std::vector<int> read_exponents(const MacTile& tile, const BufferStorage& activation_buffer) {
  std::vector<int> exponents;
  if (!tile.nest->problem().in_blocks) return exponents;
  exponents.reserve(static_cast<std::size_t>(tile.pixels()));
  for (std::int64_t pixel = 0; pixel < tile.pixels(); ++pixel) {
    const std::optional<std::int64_t> address = exponent_address(tile, pixel);
    exponents.push_back(address ? static_cast<int>(activation_buffer.read(*address, {8, true})) : 0);
  }
  return exponents;
}

void accumulate(const MacTile& tile, const TileValues& values, const BufferStorage& weight_buffer,
                AccumulatorBank& accumulators) {
  const std::int64_t group_channels = tile.group_channels();
  const std::int64_t depth = tile.chunk_depth;
  const std::int32_t row = tile.nest->row;
  const ParameterReader parameters(weight_buffer, *tile.nest, tile.parameters_address,
                                   tile.block_channel_begin);
  const AccumulatorOrder order = tile.dataflow().accumulator_order(tile.pixels(), group_channels);
  const bool in_blocks = tile.nest->problem().in_blocks;
  const bool has_groups = tile.nest->problem().scale_group > 0 && !in_blocks;
  const bool is_asymmetric = tile.nest->problem().parameters.asymmetric_weights;
  const std::int64_t scale_group = has_groups || in_blocks ? scale_group_of(tile) : 0;
  for (std::int64_t channel = 0; channel < tile.channels(); ++channel) {
    const std::int64_t group = channel / group_channels;
    const std::int64_t in_group = channel % group_channels;
    const std::int64_t* column =
        &values.weights[static_cast<std::size_t>(group * depth * group_channels + in_group)];
    const std::int64_t output_channel = tile.columns.channel_begin + channel;
    const std::int64_t preload = tile.preload ? parameters.preload(output_channel) : 0;
    const std::int64_t multiplier = has_groups ? parameters.group_multiplier(output_channel, scale_group) : 1;
    const std::int64_t correction =
        has_groups && is_asymmetric ? parameters.group_correction(output_channel, scale_group) : 1;
    const int weight_shift =
        in_blocks ? parameters.block_exponent(output_channel, scale_group) - parameters.block_reference() : 0;
    for (std::int64_t pixel = 0; pixel < tile.pixels(); ++pixel) {
      const std::int64_t* inputs =
          &values.activations[static_cast<std::size_t>((pixel * tile.groups() + group) * depth)];
      std::int64_t sum = 0;
      std::int64_t input_sum = 0;
      std::int64_t weight_sum = 0;
      for (std::int64_t k = 0; k < depth; ++k) {
        sum += column[k * group_channels] * inputs[k];
        input_sum += inputs[k];
        weight_sum += column[k * group_channels];
      }
      AccumulatorCell cell = order.cell(pixel, group, in_group);
      cell.entry += tile.accumulator_base;
      if (tile.preload) accumulators.preload(row, cell.entry, cell.column, preload);
      if (in_blocks) {
        const int shift = weight_shift + values.exponents[static_cast<std::size_t>(pixel)];
        const arithmetic::AlignedSum aligned =
            arithmetic::align(sum, shift, tile.nest->problem().shift_rounding);
        accumulators.add_aligned(row, cell.entry, cell.column, aligned);
        continue;
      }
      accumulators.add(row, cell.entry, cell.column, multiplier * sum);
      if (is_asymmetric) {
        accumulators.add_input_sum(cell.entry, cell.column, correction * input_sum, tile.preload);
      }
      if (tile.nest->problem().sums_weights) {
        accumulators.add_weight_sum(cell.entry, cell.column, weight_sum, tile.preload);
      }
    }
  }
}

}  // namespace qsim
