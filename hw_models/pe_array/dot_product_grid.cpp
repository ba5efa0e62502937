#include "hw_models/pe_array/dot_product_grid.h"

#include <utility>

namespace qsim {

DotProductGrid::DotProductGrid(const MacArrayConfig& config, std::int64_t macs_a_pe, SumCollector& sums)
    : rows_(config.rows * macs_a_pe),
      columns_(config.columns),
      tree_cycles_(config.tree_cycles()),
      sums_(sums),
      active_(static_cast<std::size_t>(rows_ * columns_)),
      shadow_(active_.size()),
      kept_(static_cast<std::size_t>(columns_)),
      kept_weights_(kept_.size()),
      kept_inputs_(kept_.size()) {}

std::int64_t DotProductGrid::settle_cycles() const {
  constexpr std::int64_t kMostProductCycles = 256;
  return tree_cycles_ + 2 + kMostProductCycles;
}

void DotProductGrid::declare(Waveform& waveform) {
  if (rows_ * columns_ > kMostPesShown) return;
  for (std::int64_t row = 0; row < rows_; ++row) {
    const std::size_t operand = waveform.add("operands", "row_" + std::to_string(row), 17);
    if (row == 0) first_signal_ = operand;
  }
  for (std::int64_t column = 0; column < columns_; ++column) {
    const std::string scope = "column_" + std::to_string(column);
    for (std::int64_t row = 0; row < rows_; ++row) waveform.add(scope, "kept_" + std::to_string(row), 17);
    waveform.add(scope, "tree_input", 64);
  }
}

void DotProductGrid::show(Waveform& waveform) const {
  if (rows_ * columns_ > kMostPesShown) return;
  std::size_t signal = first_signal_;
  const auto lane_value = [](const Lane& lane) {
    return lane.is_useful ? std::optional(lane.value) : std::nullopt;
  };
  for (std::int64_t row = 0; row < rows_; ++row) {
    const bool is_busy = operands_.pass != nullptr && (busy_ > 0 || entered_now_);
    waveform.set(signal++,
                 is_busy ? lane_value(operands_.rows[static_cast<std::size_t>(row)]) : std::nullopt);
  }
  for (std::int64_t column = 0; column < columns_; ++column) {
    for (std::int64_t row = 0; row < rows_; ++row) {
      waveform.set(signal++, lane_value(active_[static_cast<std::size_t>(column * rows_ + row)]));
    }
    waveform.set(signal++, tree_input_.empty() || static_cast<std::size_t>(column) >= tree_input_.size()
                               ? std::nullopt
                               : std::optional(tree_input_[static_cast<std::size_t>(column)]));
  }
}

void DotProductGrid::clock(Cycle cycle) {
  entered_now_ = entering_.cycle == cycle;
  tree_input_.clear();
  if (entered_now_) {
    if (entering_.is_first && entering_.pass->stays != Stays::sums) {
      take_into_use(*entering_.pass);
    }
    operands_ = std::move(entering_);
    busy_ = operands_.pass->product_cycles;
    entering_ = {};
  }
  if (busy_ > 0 && --busy_ == 0) {
    tree_.push_back(products(cycle));
    tree_input_ = tree_.back().columns;
  }
  while (!tree_.empty() && tree_.front().due == cycle) {
    leave(tree_.front());
    tree_.pop_front();
  }
  load(cycle);
}

void DotProductGrid::load(Cycle cycle) {
  if (line_.cycle != cycle) return;
  Pass& pass = *line_.pass;
  const bool adds_up = pass.stays == Stays::weights ? pass.shape.sums_weights : pass.shape.sums_inputs;
  pass.column_sums.resize(static_cast<std::size_t>(columns_));
  for (std::int64_t row = 0; row < rows_; ++row) {
    const Lane lane = line_.lanes[static_cast<std::size_t>(row)];
    shadow_[static_cast<std::size_t>(line_.index * rows_ + row)] = lane;
    if (!lane.is_useful || !adds_up) continue;
    pass.column_sums[static_cast<std::size_t>(line_.index)] += lane.value;
    ++pass.counts.zero_point_adds;
  }
  line_ = {};
}

void DotProductGrid::take_into_use(Pass& pass) {
  active_ = shadow_;
  for (const Lane& lane : active_) pass.counts.register_writes += lane.is_useful ? 1 : 0;
}

DotProductGrid::Sums DotProductGrid::products(Cycle cycle) {
  Pass& pass = *operands_.pass;
  Sums sums{cycle + tree_cycles_, operands_.pass, operands_.step, operands_.is_last, {}, {}, {}};
  const bool weights_stream = !operands_.weights.empty();
  for (std::int64_t column = 0; column < pass.columns_used; ++column) {
    std::int64_t sum = 0;
    std::int64_t weight_sum = 0;
    for (std::int64_t row = 0; row < rows_; ++row) {
      const Lane input = operands_.rows[static_cast<std::size_t>(row)];
      const Lane other = weights_stream ? operands_.weights[static_cast<std::size_t>(row * columns_ + column)]
                                        : active_[static_cast<std::size_t>(column * rows_ + row)];
      if (!input.is_useful || !other.is_useful) continue;
      sum += input.value * other.value;
      weight_sum += other.value;
      ++pass.counts.macs;
      if (weights_stream && pass.shape.sums_weights) ++pass.counts.zero_point_adds;
      pass.mac_end = cycle + 1;
    }
    sums.columns.push_back(sum);
    sums.column_weights.push_back(weight_sum);
  }
  sum_operands(pass, sums);
  return sums;
}

void DotProductGrid::sum_operands(Pass& pass, Sums& sums) {
  const bool adds_up = pass.stays == Stays::inputs ? pass.shape.sums_weights : pass.shape.sums_inputs;
  if (!adds_up) return;
  std::int64_t used = 0;
  for (const Lane& lane : operands_.rows) used += lane.is_useful ? 1 : 0;
  const std::int64_t depth = used / pass.shape.groups;
  sums.group_sums.resize(static_cast<std::size_t>(pass.shape.groups));
  for (std::int64_t row = 0; row < used; ++row) {
    sums.group_sums[static_cast<std::size_t>(row / depth)] +=
        operands_.rows[static_cast<std::size_t>(row)].value;
  }
  pass.counts.zero_point_adds += used;
}

void DotProductGrid::leave(const Sums& sums) {
  Pass& pass = *sums.pass;
  if (pass.stays == Stays::sums) {
    keep(pass, sums);
  } else {
    leave_stationary(pass, sums);
  }
  if (sums.is_last) drain(sums.pass);
}

void DotProductGrid::leave_stationary(Pass& pass, const Sums& sums) {
  const PassShape& shape = pass.shape;
  const bool inputs_stay = pass.stays == Stays::inputs;
  for (std::int64_t column = 0; column < pass.columns_used; ++column) {
    const std::int64_t pixel = inputs_stay ? column % shape.pixels : sums.step;
    const std::int64_t group = column / (inputs_stay ? shape.pixels : shape.channels);
    const std::int64_t channel = inputs_stay ? group * shape.channels + sums.step : column;
    sums_.add(pass, sums.due, pixel, channel, sums.columns[static_cast<std::size_t>(column)]);
    const std::int64_t column_sum = pass.column_sums[static_cast<std::size_t>(column)];
    if (!inputs_stay && shape.sums_weights) sums_.add_weight_sum(pass, pixel, channel, column_sum);
    if (inputs_stay && shape.sums_inputs && sums.step == 0) {
      sums_.add_input_sum(pass, pixel, group, column_sum);
    }
  }
  for (std::size_t g = 0; g < sums.group_sums.size(); ++g) {
    const auto group = static_cast<std::int64_t>(g);
    if (inputs_stay) {
      sums_.add_weight_sum(pass, group * shape.channels + sums.step, sums.group_sums[g]);
    } else {
      sums_.add_input_sum(pass, sums.step, group, sums.group_sums[g]);
    }
  }
}

/// Pixel after pixel, chunk after chunk of the reduction.
void DotProductGrid::keep(Pass& pass, const Sums& sums) {
  const std::int64_t chunks = pass.dataflow.steps_a_sum(pass.shape);
  const std::int64_t pixel = sums.step / chunks;
  const bool is_first = sums.step % chunks == 0;
  const bool is_last = sums.step % chunks == chunks - 1;
  const auto update = [&](std::int64_t& kept, std::int64_t sum) {
    return kept = is_first ? sum : kept + sum;
  };
  for (std::size_t column = 0; column < sums.columns.size(); ++column) {
    const std::int64_t sum = update(kept_[column], sums.columns[column]);
    const std::int64_t weight_sum = update(kept_weights_[column], sums.column_weights[column]);
    if (!is_last) continue;
    const auto channel = static_cast<std::int64_t>(column);
    sums_.add(pass, sums.due, pixel, channel, sum);
    if (pass.shape.sums_weights) sums_.add_weight_sum(pass, pixel, channel, weight_sum);
  }
  for (std::size_t group = 0; group < sums.group_sums.size(); ++group) {
    const std::int64_t sum = update(kept_inputs_[group], sums.group_sums[group]);
    if (is_last) sums_.add_input_sum(pass, pixel, static_cast<std::int64_t>(group), sum);
  }
}

}  // namespace qsim
