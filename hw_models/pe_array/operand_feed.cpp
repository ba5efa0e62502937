#include "hw_models/pe_array/operand_feed.h"

#include <optional>

#include "hw_models/core/tile_values.h"

namespace qsim {

void OperandFeed::put_activations(Pass& pass, const OperandBox& box, std::vector<Lane>& lanes,
                                  std::size_t offset) const {
  const TileReader reader(pass.tile, weight_buffer_, activation_buffer_, moves_values_);
  auto lane = offset + static_cast<std::size_t>(box.groups.begin * box.pixels.size() * box.k.size());
  for (std::int64_t group = box.groups.begin; group < box.groups.end; ++group) {
    for (std::int64_t pixel = box.pixels.begin; pixel < box.pixels.end; ++pixel) {
      for (std::int64_t k = box.k.begin; k < box.k.end; ++k) {
        const Operand operand = reader.activation(pixel, group, k);
        if (operand.is_stored) ++pass.counts.activations_read;
        lanes[lane++] = {operand.value, true};
      }
    }
  }
}

void OperandFeed::put_weights(Pass& pass, const OperandBox& box, std::vector<Lane>& lanes,
                              std::size_t offset) const {
  const TileReader reader(pass.tile, weight_buffer_, activation_buffer_, moves_values_);
  auto lane = offset + static_cast<std::size_t>(box.groups.begin * box.k.size() * box.channels.size());
  for (std::int64_t group = box.groups.begin; group < box.groups.end; ++group) {
    for (std::int64_t k = box.k.begin; k < box.k.end; ++k) {
      for (std::int64_t c = box.channels.begin; c < box.channels.end; ++c) {
        lanes[lane++] = {reader.weight(group, k, c), true};
      }
    }
  }
  pass.counts.weights_read += box.weights();
}

void OperandFeed::put_products(Pass& pass, const OperandBox& box, StepOperands& operands) const {
  const TileReader reader(pass.tile, weight_buffer_, activation_buffer_, moves_values_);
  const std::int64_t pitch = pass.shape.macs_a_pe;
  const auto lane = [pitch](std::vector<Lane>& lanes, std::int64_t place, std::int64_t product) -> Lane& {
    return lanes[static_cast<std::size_t>(place * pitch + product)];
  };
  for (std::int64_t group = box.groups.begin; group < box.groups.end; ++group) {
    for (std::int64_t k = box.k.begin; k < box.k.end; ++k) {
      const std::int64_t product = k - box.k.begin;
      for (std::int64_t pixel = box.pixels.begin; pixel < box.pixels.end; ++pixel) {
        const Operand operand = reader.activation(pixel, group, k);
        if (operand.is_stored) ++pass.counts.activations_read;
        lane(operands.rows, group * pass.shape.pixels + pixel, product) = {operand.value, true};
      }
      for (std::int64_t c = box.channels.begin; c < box.channels.end; ++c) {
        lane(operands.columns, group * pass.shape.channels + c, product) = {reader.weight(group, k, c), true};
      }
    }
  }
  pass.counts.weights_read += box.weights();
}

/// Groups lie on the diagonal: row and column of different groups get nothing.
void OperandFeed::put_weights_of_all_pes(Pass& pass, const OperandBox& box, std::vector<Lane>& lanes) const {
  const TileReader reader(pass.tile, weight_buffer_, activation_buffer_, moves_values_);
  for (std::int64_t group = box.groups.begin; group < box.groups.end; ++group) {
    for (std::int64_t k = box.k.begin; k < box.k.end; ++k) {
      const std::int64_t row = group * box.k.size() + k - box.k.begin;
      for (std::int64_t c = box.channels.begin; c < box.channels.end; ++c) {
        const std::int64_t column = group * box.channels.size() + c - box.channels.begin;
        lanes[static_cast<std::size_t>(row * config_.columns + column)] = {reader.weight(group, k, c), true};
      }
    }
  }
  pass.counts.weights_read += box.weights();
}

void OperandFeed::put_exponents(Pass& pass) const {
  if (moves_values_) pass.exponents = read_exponents(pass.tile, activation_buffer_);
}

LoadLine OperandFeed::line(const std::shared_ptr<Pass>& pass, std::int64_t index) const {
  LoadLine line;
  line.pass = pass;
  line.index = index;
  const std::int64_t lines = pass->dataflow.lines_a_cycle(pass->shape);
  const auto width = static_cast<std::size_t>(
      pass->dataflow.is_systolic() ? config_.columns : config_.rows * pass->shape.macs_a_pe);
  line.lanes.resize(static_cast<std::size_t>(lines) * width);
  for (std::int64_t product = 0; product < lines; ++product) {
    const std::optional<OperandBox> box = pass->dataflow.line(pass->shape, index * lines + product);
    if (!box) continue;
    const std::size_t offset = static_cast<std::size_t>(product) * width;
    if (pass->stays == Stays::weights) {
      put_weights(*pass, *box, line.lanes, offset);
    } else {
      put_activations(*pass, *box, line.lanes, offset);
    }
  }
  return line;
}

StepOperands OperandFeed::step(const std::shared_ptr<Pass>& pass, std::int64_t step) const {
  StepOperands operands;
  operands.pass = pass;
  operands.step = step;
  operands.is_first = step == 0;
  operands.is_last = step + 1 == pass->steps;
  const std::int64_t rows = config_.rows * pass->shape.macs_a_pe;
  operands.rows.resize(static_cast<std::size_t>(rows));
  const OperandBox box = pass->dataflow.step(pass->shape, step);
  if (!pass->dataflow.reduces_along_rows()) {
    operands.columns.resize(static_cast<std::size_t>(config_.columns * pass->shape.macs_a_pe));
    put_products(*pass, box, operands);
    return operands;
  }
  if (pass->stays != Stays::inputs) put_activations(*pass, box, operands.rows);
  if (pass->stays == Stays::weights) return operands;
  switch (pass->dataflow.weight_edge()) {
    case WeightEdge::rows:
      put_weights(*pass, box, operands.rows);
      break;
    case WeightEdge::columns:
      break;
    case WeightEdge::every_pe:
      operands.weights.resize(static_cast<std::size_t>(rows * config_.columns));
      put_weights_of_all_pes(*pass, box, operands.weights);
      break;
  }
  return operands;
}

}  // namespace qsim
