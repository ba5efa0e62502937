#include "hw_models/pe_array/operand_feed.h"

#include <optional>

#include "hw_models/core/tile_values.h"

namespace qsim {

void OperandFeed::put_activations(Pass& pass, const OperandBox& box, std::vector<Lane>& lanes) const {
  const TileReader reader(pass.tile, weight_buffer_, activation_buffer_, moves_values_);
  auto lane = static_cast<std::size_t>(box.groups.begin * box.pixels.size() * box.k.size());
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

void OperandFeed::put_weights(Pass& pass, const OperandBox& box, std::vector<Lane>& lanes) const {
  const TileReader reader(pass.tile, weight_buffer_, activation_buffer_, moves_values_);
  auto lane = static_cast<std::size_t>(box.groups.begin * box.k.size() * box.channels.size());
  for (std::int64_t group = box.groups.begin; group < box.groups.end; ++group) {
    for (std::int64_t k = box.k.begin; k < box.k.end; ++k) {
      for (std::int64_t c = box.channels.begin; c < box.channels.end; ++c) {
        lanes[lane++] = {reader.weight(group, k, c), true};
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
  line.lanes.resize(static_cast<std::size_t>(pass->dataflow.is_systolic() ? config_.columns : config_.rows));
  const std::optional<OperandBox> box = pass->dataflow.line(pass->shape, index);
  if (!box) return line;
  if (pass->stays == Stays::weights) {
    put_weights(*pass, *box, line.lanes);
  } else {
    put_activations(*pass, *box, line.lanes);
  }
  return line;
}

StepOperands OperandFeed::step(const std::shared_ptr<Pass>& pass, std::int64_t step) const {
  StepOperands operands;
  operands.pass = pass;
  operands.step = step;
  operands.is_first = step == 0;
  operands.is_last = step + 1 == pass->steps;
  operands.rows.resize(static_cast<std::size_t>(config_.rows));
  const OperandBox box = pass->dataflow.step(pass->shape, step);
  if (pass->stays != Stays::inputs) put_activations(*pass, box, operands.rows);
  if (pass->stays == Stays::weights) return operands;
  switch (pass->dataflow.weight_edge()) {
    case WeightEdge::rows:
      put_weights(*pass, box, operands.rows);
      break;
    case WeightEdge::columns:
      operands.columns.resize(static_cast<std::size_t>(config_.columns));
      put_weights(*pass, box, operands.columns);
      break;
    case WeightEdge::every_pe:
      operands.weights.resize(static_cast<std::size_t>(config_.rows * config_.columns));
      put_weights_of_all_pes(*pass, box, operands.weights);
      break;
  }
  return operands;
}

}  // namespace qsim
