#include "hw_models/pe_array/operand_feed.h"

#include "hw_models/core/tile_values.h"

namespace qsim {

Lane OperandFeed::activation(Pass& pass, std::int64_t pixel, std::int64_t group, std::int64_t k) const {
  const TileReader reader(pass.tile, weight_buffer_, activation_buffer_, moves_values_);
  const Operand operand = reader.activation(pixel, group, k);
  if (operand.is_stored) ++pass.counts.activations_read;
  return {operand.value, true};
}

Lane OperandFeed::weight(Pass& pass, std::int64_t group, std::int64_t k, std::int64_t channel) const {
  const TileReader reader(pass.tile, weight_buffer_, activation_buffer_, moves_values_);
  ++pass.counts.weights_read;
  return {reader.weight(group, k, channel), true};
}

/// Groups lie on the diagonal: row and column of different groups hold nothing.
Lane OperandFeed::stationary(Pass& pass, std::int64_t row, std::int64_t column) const {
  const MacTile& tile = pass.tile;
  const std::int64_t group = row / tile.chunk_depth;
  const bool inputs_stay = tile.nest->mapping().dataflow == Dataflow::input_stationary;
  const std::int64_t width = inputs_stay ? tile.pixels() : tile.group_channels();
  if (row >= tile.rows_used() || column / width != group) return {};
  return inputs_stay ? activation(pass, column % width, group, row % tile.chunk_depth)
                     : weight(pass, group, row % tile.chunk_depth, column % width);
}

LoadLine OperandFeed::line(const std::shared_ptr<Pass>& pass, std::int64_t index) const {
  LoadLine line;
  line.pass = pass;
  line.index = index;
  const bool by_rows = config_.organization == Organization::systolic;
  const std::int64_t lanes = by_rows ? config_.columns : config_.rows;
  for (std::int64_t i = 0; i < lanes; ++i) {
    line.lanes.push_back(by_rows ? stationary(*pass, index, i) : stationary(*pass, i, index));
  }
  return line;
}

std::int64_t OperandFeed::line_elements(const MacTile& tile, std::int64_t index) {
  if (tile.nest->mapping().organization == Organization::systolic) {
    return index < tile.rows_used() ? tile.columns_used() / tile.groups() : 0;
  }
  return index < tile.columns_used() ? tile.chunk_depth : 0;
}

StepOperands OperandFeed::step(const std::shared_ptr<Pass>& pass, std::int64_t step) const {
  const MacTile& tile = pass->tile;
  StepOperands operands;
  operands.pass = pass;
  operands.step = step;
  operands.is_first = step == 0;
  operands.is_last = step + 1 == tile.steps();
  operands.rows.resize(static_cast<std::size_t>(config_.rows));
  if (tile.keeps_sums_in_pes()) {
    feed_sums_in_pes(*pass, operands);
  } else if (tile.weights_each_pixel()) {
    feed_dot_products(*pass, operands);
  } else {
    for (std::int64_t row = 0; row < tile.rows_used(); ++row) {
      const std::int64_t group = row / tile.chunk_depth;
      const std::int64_t k = row % tile.chunk_depth;
      operands.rows[static_cast<std::size_t>(row)] =
          tile.nest->mapping().dataflow == Dataflow::input_stationary ? weight(*pass, group, k, step)
                                                                      : activation(*pass, step, group, k);
    }
  }
  return operands;
}

void OperandFeed::feed_sums_in_pes(Pass& pass, StepOperands& operands) const {
  const MacTile& tile = pass.tile;
  operands.columns.resize(static_cast<std::size_t>(config_.columns));
  for (std::int64_t row = 0; row < tile.rows_used(); ++row) {
    operands.rows[static_cast<std::size_t>(row)] =
        activation(pass, row % tile.pixels(), row / tile.pixels(), operands.step);
  }
  for (std::int64_t column = 0; column < tile.channels(); ++column) {
    operands.columns[static_cast<std::size_t>(column)] =
        weight(pass, column / tile.group_channels(), operands.step, column % tile.group_channels());
  }
}

/// Pixel after pixel, chunk after chunk of the reduction.
void OperandFeed::feed_dot_products(Pass& pass, StepOperands& operands) const {
  const MacTile& tile = pass.tile;
  const ChunkCut cut(tile.part, config_.rows, tile.nest->mapping().reduction);
  const std::int64_t pixel = operands.step / cut.count();
  const std::int64_t first = cut.begin(operands.step % cut.count());
  const std::int64_t depth = cut.depth(operands.step % cut.count());
  operands.weights.resize(static_cast<std::size_t>(config_.rows * config_.columns));
  for (std::int64_t group = 0; group < tile.groups(); ++group) {
    for (std::int64_t k = 0; k < depth; ++k) {
      const std::int64_t row = group * depth + k;
      operands.rows[static_cast<std::size_t>(row)] = activation(pass, pixel, group, first + k);
      for (std::int64_t c = 0; c < tile.group_channels(); ++c) {
        const std::int64_t column = group * tile.group_channels() + c;
        operands.weights[static_cast<std::size_t>(row * config_.columns + column)] =
            weight(pass, group, first + k, c);
      }
    }
  }
}

}  // namespace qsim
