#include "hw_models/pe_array/sum_collector.h"

#include <algorithm>
#include <stdexcept>

#include "hw_models/core/tile_operands.h"

namespace qsim {

AccumulatorCell SumCollector::cell(const Pass& pass, std::int64_t pixel, std::int64_t channel) {
  const std::int64_t channels = pass.shape.channels;
  AccumulatorCell cell = pass.accumulators.cell(pixel, channel / channels, channel % channels);
  cell.entry += pass.tile.accumulator_base;
  return cell;
}

void SumCollector::add(Pass& pass, Cycle cycle, std::int64_t pixel, std::int64_t channel, std::int64_t sum) {
  const MacTile& tile = pass.tile;
  const auto [entry, column] = cell(pass, pixel, channel);
  ready_from_.resize(std::max(ready_from_.size(), static_cast<std::size_t>(column) + 1));
  Cycle& ready_from = ready_from_[static_cast<std::size_t>(column)];
  if (cycle < ready_from) throw std::logic_error("a sum met accumulators that still took the one before");
  ready_from = cycle + update_cycles_;
  if (!tile.preload) ++pass.counts.accumulator_reads;
  ++pass.counts.accumulator_writes;
  const bool has_groups = tile.nest->problem().scale_group > 0;
  if (has_groups) ++pass.counts.group_multiplies;
  if (!moves_values_) return;
  const std::int32_t row = tile.nest->row;
  const ParameterReader parameters = parameters_of(tile);
  const std::int64_t output_channel = tile.columns.channel_begin + channel;
  if (tile.preload) accumulators_.preload(row, entry, column, parameters.preload(output_channel));
  if (tile.nest->problem().in_blocks) {
    const int shift = parameters.block_exponent(output_channel, scale_group_of(tile)) +
                      pass.exponents[static_cast<std::size_t>(pixel)] - parameters.block_reference();
    return accumulators_.add_aligned(row, entry, column,
                                     arithmetic::align(sum, shift, tile.nest->problem().shift_rounding));
  }
  if (has_groups) sum *= parameters.group_multiplier(output_channel, scale_group_of(tile));
  accumulators_.add(row, entry, column, sum);
}

ParameterReader SumCollector::parameters_of(const MacTile& tile) const {
  return {weight_buffer_, *tile.nest, tile.parameters_address, tile.block_channel_begin};
}

void SumCollector::add_input_sum(Pass& pass, std::int64_t pixel, std::int64_t group, std::int64_t sum) {
  const MacTile& tile = pass.tile;
  const bool has_groups = tile.nest->problem().scale_group > 0;
  if (has_groups) pass.counts.group_corrections += tile.group_channels();
  if (!moves_values_) return;
  const ParameterReader parameters = parameters_of(tile);
  for (std::int64_t c = 0; c < tile.group_channels(); ++c) {
    const std::int64_t channel = group * tile.group_channels() + c;
    const auto [entry, column] = cell(pass, pixel, channel);
    const std::int64_t factor =
        has_groups ? parameters.group_correction(tile.columns.channel_begin + channel, scale_group_of(tile))
                   : 1;
    accumulators_.add_input_sum(entry, column, factor * sum, tile.preload);
  }
}

void SumCollector::add_weight_sum(Pass& pass, std::int64_t channel, std::int64_t sum) {
  for (std::int64_t pixel = 0; pixel < pass.tile.pixels(); ++pixel) add_weight_sum(pass, pixel, channel, sum);
}

void SumCollector::add_weight_sum(Pass& pass, std::int64_t pixel, std::int64_t channel, std::int64_t sum) {
  if (!moves_values_) return;
  const auto [entry, column] = cell(pass, pixel, channel);
  accumulators_.add_weight_sum(entry, column, sum, pass.tile.preload);
}

}  // namespace qsim
