#include "hw_models/core/accumulator_bank.h"

#include <stdexcept>
#include <string>

namespace qsim {

AccumulatorBank::AccumulatorBank(const AccumulatorConfig& config, std::int64_t columns, bool moves_values,
                                 std::vector<arithmetic::AccumulatorStats>& stats)
    : config_(config), format_{config.width_bits, config.overflow}, columns_(columns), stats_(stats) {
  if (!moves_values) return;
  storage_.resize(static_cast<std::size_t>(config.entries * columns));
  input_sums_.resize(storage_.size());
  weight_sums_.resize(storage_.size());
}

std::size_t AccumulatorBank::index(std::int64_t entry, std::int64_t column) const {
  if (entry < 0 || entry >= config_.entries || column < 0 || column >= columns_) {
    throw std::logic_error("accumulators: entry " + std::to_string(entry) + " of column " +
                           std::to_string(column) + " does not exist");
  }
  return static_cast<std::size_t>(entry * columns_ + column);
}

void AccumulatorBank::preload(std::int32_t row, std::int64_t entry, std::int64_t column, std::int64_t value) {
  storage_[index(entry, column)] =
      arithmetic::accumulate(format_, value, stats_[static_cast<std::size_t>(row)]);
}

void AccumulatorBank::add(std::int32_t row, std::int64_t entry, std::int64_t column,
                          std::int64_t partial_sum) {
  std::int64_t& cell = storage_[index(entry, column)];
  cell = arithmetic::accumulate(format_, cell + partial_sum, stats_[static_cast<std::size_t>(row)]);
}

void AccumulatorBank::add_aligned(std::int32_t row, std::int64_t entry, std::int64_t column,
                                  const arithmetic::AlignedSum& sum) {
  stats_[static_cast<std::size_t>(row)].rounded_sums += sum.is_rounded ? 1 : 0;
  add(row, entry, column, sum.value);
}

std::int64_t AccumulatorBank::read(std::int64_t entry, std::int64_t column) const {
  return storage_[index(entry, column)];
}

void AccumulatorBank::restore(std::int64_t entry, std::int64_t column, std::int64_t sum) {
  storage_[index(entry, column)] = sum;
}

void AccumulatorBank::add_input_sum(std::int64_t entry, std::int64_t column, std::int64_t sum, bool first) {
  std::int64_t& cell = input_sums_[index(entry, column)];
  cell = first ? sum : cell + sum;
}

std::int64_t AccumulatorBank::input_sum(std::int64_t entry, std::int64_t column) const {
  return input_sums_[index(entry, column)];
}

void AccumulatorBank::add_weight_sum(std::int64_t entry, std::int64_t column, std::int64_t sum, bool first) {
  std::int64_t& cell = weight_sums_[index(entry, column)];
  cell = first ? sum : cell + sum;
}

std::int64_t AccumulatorBank::weight_sum(std::int64_t entry, std::int64_t column) const {
  return weight_sums_[index(entry, column)];
}

}  // namespace qsim
