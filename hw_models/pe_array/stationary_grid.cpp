#include "hw_models/pe_array/stationary_grid.h"

#include <stdexcept>

namespace qsim {

namespace {

bool sums_what_streams(const Pass& pass) {
  return pass.stays == Stays::weights ? pass.shape.sums_inputs : pass.shape.sums_weights;
}

bool sums_what_stays(const Pass& pass) {
  return pass.stays == Stays::weights ? pass.shape.sums_weights : pass.shape.sums_inputs;
}

}  // namespace

StationaryGrid::StationaryGrid(const MacArrayConfig& config, std::int64_t macs_a_pe, SumCollector& sums)
    : macs_a_pe_(macs_a_pe),
      rows_(config.rows * macs_a_pe),
      columns_(config.columns),
      sums_(sums),
      steps_(rows_ + 1),
      lines_(rows_ + columns_ + 1),
      pes_(static_cast<std::size_t>(rows_ * columns_)),
      adders_(static_cast<std::size_t>(rows_)) {}

std::int64_t StationaryGrid::settle_cycles() const {
  constexpr std::int64_t kMostProductCycles = 256;  // 16 x 16 bits on a multiplier of 1 x 1
  return rows_ + columns_ + 2 + kMostProductCycles;
}

void StationaryGrid::declare(Waveform& waveform) {
  if (rows_ * columns_ > kMostPesShown) return;
  for (std::int64_t row = 0; row < rows_; ++row) {
    for (std::int64_t column = 0; column < columns_; ++column) {
      const std::string scope = "pe_" + std::to_string(row) + "_" + std::to_string(column);
      const std::size_t kept = waveform.add(scope, "kept", 17);
      if (row == 0 && column == 0) first_signal_ = kept;
      waveform.add(scope, "operand", 17);
      waveform.add(scope, "partial_sum", 64);
    }
  }
}

void StationaryGrid::show(Waveform& waveform) const {
  if (rows_ * columns_ > kMostPesShown) return;
  std::size_t signal = first_signal_;
  const auto lane_value = [](const std::shared_ptr<Pass>& pass, const Lane& lane) {
    return pass != nullptr && lane.is_useful ? std::optional(lane.value) : std::nullopt;
  };
  for (const Pe& pe : pes_) {
    waveform.set(signal++, lane_value(pe.active.pass, pe.active.lane));
    waveform.set(signal++, lane_value(pe.right.pass, pe.right.lane));
    waveform.set(signal++, pe.down.pass != nullptr ? std::optional(pe.down.value) : std::nullopt);
  }
}

void StationaryGrid::clock(Cycle cycle) {
  // From the lower right to the upper left: neighbours still hold what they held before the edge.
  // The products of a PE are added up within the cycle, from the first one on.
  for (std::int64_t end = rows_; end > 0; end -= macs_a_pe_) {
    for (std::int64_t row = end - macs_a_pe_; row < end; ++row) {
      add_up(row, cycle);
      for (std::int64_t column = columns_; column-- > 0;) {
        multiply(row, column, cycle);
        shift(row, column, cycle);
      }
    }
  }
}

Wire StationaryGrid::incoming(std::int64_t row, std::int64_t column, Cycle cycle) {
  if (column > 0) return at(row, column - 1).right;
  const StepOperands* operands = steps_.at(cycle - pe_row(row));
  if (operands == nullptr) return {};
  return {operands->pass,
          operands->step,
          operands->is_first,
          operands->is_last,
          operands->rows[static_cast<std::size_t>(row)],
          {}};
}

void StationaryGrid::shift(std::int64_t row, std::int64_t column, Cycle cycle) {
  const LoadLine* line = lines_.at(cycle - pe_row(row) - column);
  if (line == nullptr) return;
  Pe& pe = at(row, column);
  pe.chain = std::move(pe.shadow);
  if (row >= macs_a_pe_) {
    pe.shadow = at(row - macs_a_pe_, column).chain;
    return;
  }
  Pass& pass = *line->pass;
  const Lane lane = line->lanes[static_cast<std::size_t>(row * columns_ + column)];
  if (lane.is_useful && sums_what_stays(pass)) {
    pass.column_sums.resize(static_cast<std::size_t>(columns_));
    pass.column_sums[static_cast<std::size_t>(column)] += lane.value;
    ++pass.counts.zero_point_adds;
  }
  pe.shadow = {line->pass, lane};
}

void StationaryGrid::multiply(std::int64_t row, std::int64_t column, Cycle cycle) {
  Pe& pe = at(row, column);
  Wire in = incoming(row, column, cycle);
  if (in.pass != nullptr) {
    if (in.is_first) {
      if (pe.shadow.pass != in.pass) throw std::logic_error("a pass met PEs that hold another one's values");
      pe.active = pe.shadow;
      if (pe.active.lane.is_useful) ++in.pass->counts.register_writes;
    }
    pe.operand = in;
    pe.busy = in.pass->product_cycles;
  }
  pe.right = std::move(in);
  pe.down = {};
  if (pe.busy == 0 || --pe.busy > 0) return;
  Pass& pass = *pe.operand.pass;
  Sum sum{pe.operand.pass, pe.operand.step, 0};
  if (row > 0) {
    const Sum& above = at(row - 1, column).down;
    if (above.pass != sum.pass || above.step != sum.step)
      throw std::logic_error("a partial sum came too late");
    sum.value = above.value;
  }
  if (pe.operand.lane.is_useful && pe.active.lane.is_useful) {
    sum.value += pe.operand.lane.value * pe.active.lane.value;
    ++pass.counts.macs;
    pass.mac_end = cycle + 1;
  }
  if (row + 1 == rows_) leave(sum, column, pe.operand.is_last, cycle);
  pe.down = std::move(sum);
}

void StationaryGrid::leave(const Sum& sum, std::int64_t column, bool is_last, Cycle cycle) {
  Pass& pass = *sum.pass;
  const MacTile& tile = pass.tile;
  if (is_last && column + 1 == columns_ && !sums_what_streams(pass)) drain(sum.pass);
  if (column >= pass.columns_used) return;
  const bool inputs_stay = pass.stays == Stays::inputs;
  const std::int64_t pixel = inputs_stay ? column % tile.pixels() : sum.step;
  const std::int64_t channel =
      inputs_stay ? column / tile.pixels() * tile.group_channels() + sum.step : column;
  sums_.add(pass, cycle, pixel, channel, sum.value);
  if (!sums_what_stays(pass)) return;
  const std::int64_t column_sum = pass.column_sums[static_cast<std::size_t>(column)];
  if (!inputs_stay) {
    sums_.add_weight_sum(pass, pixel, channel, column_sum);
  } else if (sum.step == 0) {
    sums_.add_input_sum(pass, pixel, column / tile.pixels(), column_sum);
  }
}

/// The further column: the sum of each group's rows moves down with its step and leaves below the last row,
/// so that sums of passes leave in their order.
void StationaryGrid::add_up(std::int64_t row, Cycle cycle) {
  Adder& adder = adders_[static_cast<std::size_t>(row)];
  const Wire in = incoming(row, columns_, cycle);
  if (in.pass != nullptr && sums_what_streams(*in.pass)) {
    adder.operand = in;
    adder.busy = in.pass->product_cycles;
  }
  if (adder.busy == 0 || --adder.busy > 0) return;
  Pass& pass = *adder.operand.pass;
  const MacTile& tile = pass.tile;
  std::vector<std::int64_t> sums(static_cast<std::size_t>(tile.groups()));
  if (row > 0) sums = adders_[static_cast<std::size_t>(row - 1)].down;
  if (adder.operand.lane.is_useful) {
    sums[static_cast<std::size_t>(row / tile.chunk_depth)] += adder.operand.lane.value;
    ++pass.counts.zero_point_adds;
  }
  adder.down = std::move(sums);
  if (row + 1 < rows_) return;
  for (std::int64_t group = 0; group < tile.groups(); ++group) {
    const std::int64_t sum = adder.down[static_cast<std::size_t>(group)];
    if (pass.stays == Stays::weights) {
      sums_.add_input_sum(pass, adder.operand.step, group, sum);
    } else {
      sums_.add_weight_sum(pass, group * tile.group_channels() + adder.operand.step, sum);
    }
  }
  if (adder.operand.is_last) drain(adder.operand.pass);
}

}  // namespace qsim
