#include "hw_models/pe_array/output_grid.h"

#include <algorithm>
#include <stdexcept>

namespace qsim {

OutputGrid::OutputGrid(const MacArrayConfig& config, std::int64_t update_cycles, SumCollector& sums)
    : rows_(config.rows),
      columns_(config.columns),
      update_cycles_(update_cycles),
      sums_(sums),
      steps_(std::max(rows_, columns_) + 1),
      pes_(static_cast<std::size_t>((rows_ + 1) * (columns_ + 1))),
      buses_(static_cast<std::size_t>(columns_)) {}

void OutputGrid::enter(LoadLine /*line*/) {
  throw std::logic_error("nothing but sums stays in these PEs");
}

std::int64_t OutputGrid::settle_cycles() const {
  constexpr std::int64_t kMostProductCycles = 256;
  return rows_ * update_cycles_ + columns_ + 2 + kMostProductCycles;
}

void OutputGrid::declare(Waveform& waveform) {
  if (rows_ * columns_ > kMostPesShown) return;
  for (std::int64_t row = 0; row < rows_; ++row) {
    for (std::int64_t column = 0; column < columns_; ++column) {
      const std::string scope = "pe_" + std::to_string(row) + "_" + std::to_string(column);
      const std::size_t input = waveform.add(scope, "input", 17);
      if (row == 0 && column == 0) first_signal_ = input;
      waveform.add(scope, "weight", 17);
      waveform.add(scope, "sum", 64);
    }
  }
}

void OutputGrid::show(Waveform& waveform) const {
  if (rows_ * columns_ > kMostPesShown) return;
  std::size_t signal = first_signal_;
  const auto wire_value = [](const Wire& wire) {
    return wire.pass != nullptr && wire.lane.is_useful ? std::optional(wire.lane.value) : std::nullopt;
  };
  for (std::int64_t row = 0; row < rows_; ++row) {
    for (std::int64_t column = 0; column < columns_; ++column) {
      const Pe& pe = pes_[static_cast<std::size_t>(row * (columns_ + 1) + column)];
      waveform.set(signal++, wire_value(pe.right));
      waveform.set(signal++, wire_value(pe.down));
      waveform.set(signal++, pe.sum);
    }
  }
}

void OutputGrid::clock(Cycle cycle) {
  for (std::int64_t row = rows_ + 1; row-- > 0;) {
    for (std::int64_t column = columns_ + 1; column-- > 0;) evaluate(row, column, cycle);
  }
  move_buses(cycle);
}

Wire OutputGrid::entered(const StepOperands& operands, const std::vector<Lane>& lanes, std::int64_t place,
                         std::int64_t places) {
  Wire wire{operands.pass, operands.step, operands.is_first, operands.is_last, {}, {}};
  const std::int64_t macs = operands.pass->shape.macs_a_pe;
  if (place < places) wire.lane = lanes[static_cast<std::size_t>(place * macs)];
  if (macs == 1) return wire;
  wire.more.resize(static_cast<std::size_t>(macs - 1));
  if (place < places) std::copy_n(lanes.begin() + place * macs + 1, macs - 1, wire.more.begin());
  return wire;
}

Wire OutputGrid::from_left(std::int64_t row, std::int64_t column, Cycle cycle) {
  if (column > 0) return at(row, column - 1).right;
  const StepOperands* operands = steps_.at(cycle - row);
  if (operands == nullptr) return {};
  return entered(*operands, operands->rows, row, rows_);
}

Wire OutputGrid::from_above(std::int64_t row, std::int64_t column, Cycle cycle) {
  if (row > 0) return at(row - 1, column).down;
  const StepOperands* operands = steps_.at(cycle - column);
  if (operands == nullptr) return {};
  return entered(*operands, operands->columns, column, columns_);
}

void OutputGrid::evaluate(std::int64_t row, std::int64_t column, Cycle cycle) {
  Pe& pe = at(row, column);
  Wire input = from_left(row, column, cycle);
  Wire weight = from_above(row, column, cycle);
  if (input.pass != weight.pass || (input.pass != nullptr && input.step != weight.step)) {
    throw std::logic_error("an input and a weight of different steps met");
  }
  if (input.pass != nullptr) {
    pe.input = input;
    pe.weight = weight;
    pe.busy = input.pass->product_cycles;
  }
  pe.right = std::move(input);
  pe.down = std::move(weight);
  if (pe.busy > 0 && --pe.busy == 0) accumulate(pe, row, column, cycle);
}

void OutputGrid::accumulate(Pe& pe, std::int64_t row, std::int64_t column, Cycle cycle) {
  if (pe.input.is_first) pe.sum = 0;
  add(pe, pe.input.lane, pe.weight.lane, row, column, cycle);
  for (std::size_t i = 0; i < pe.input.more.size(); ++i)
    add(pe, pe.input.more[i], pe.weight.more[i], row, column, cycle);
  if (pe.input.is_last) leave(pe, row, column, cycle);
}

void OutputGrid::add(Pe& pe, const Lane& input, const Lane& weight, std::int64_t row, std::int64_t column,
                     Cycle cycle) const {
  Pass& pass = *pe.input.pass;
  if (column == columns_ && row < rows_) {
    if (input.is_useful && pass.shape.sums_inputs) {
      pe.sum += input.value;
      ++pass.counts.zero_point_adds;
    }
  } else if (row == rows_ && column < columns_) {
    if (weight.is_useful && pass.shape.sums_weights) {
      pe.sum += weight.value;
      ++pass.counts.zero_point_adds;
    }
  } else if (input.is_useful && weight.is_useful && row / pass.shape.pixels == column / pass.shape.channels) {
    pe.sum += input.value * weight.value;
    ++pass.counts.macs;
    pass.mac_end = cycle + 1;
  }
}

void OutputGrid::leave(const Pe& pe, std::int64_t row, std::int64_t column, Cycle cycle) {
  Pass& pass = *pe.input.pass;
  const std::int64_t pixel = row % pass.shape.pixels;
  const std::int64_t group = row / pass.shape.pixels;
  if (row < pass.rows_used && column == columns_) {
    if (pass.shape.sums_inputs) sums_.add_input_sum(pass, pixel, group, pe.sum);
  } else if (row == rows_ && column < pass.columns_used) {
    if (pass.shape.sums_weights) sums_.add_weight_sum(pass, column, pe.sum);
  } else if (row < pass.rows_used && column < pass.columns_used && group == column / pass.shape.channels) {
    Bus& bus = buses_[static_cast<std::size_t>(column)];
    const bool is_busy = !bus.items.empty() || cycle < bus.free_from;
    if (is_busy && bus.pass != pe.input.pass) throw std::logic_error("sums of two passes met on a bus");
    bus.pass = pe.input.pass;
    bus.items.push_back({pe.input.pass, pixel, pe.sum});
    ++pass.sums_on_buses;
  }
  if (is_corner(pass, row, column)) ending_.push_back(pe.input.pass);
}

void OutputGrid::move_buses(Cycle cycle) {
  for (std::int64_t column = 0; column < columns_; ++column) {
    Bus& bus = buses_[static_cast<std::size_t>(column)];
    if (bus.items.empty() || cycle < bus.free_from) continue;
    const Bus::Item item = std::move(bus.items.front());
    bus.items.pop_front();
    bus.free_from = cycle + update_cycles_;
    sums_.add(*item.pass, cycle, item.pixel, column, item.sum);
    --item.pass->sums_on_buses;
  }
  if (ending_.empty() || ending_.front()->sums_on_buses > 0) return;
  drain(std::move(ending_.front()));
  ending_.pop_front();
}

bool OutputGrid::is_corner(const Pass& pass, std::int64_t row, std::int64_t column) const {
  return row == (pass.shape.sums_weights ? rows_ : rows_ - 1) &&
         column == (pass.shape.sums_inputs ? columns_ : columns_ - 1);
}

}  // namespace qsim
