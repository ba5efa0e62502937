// The accumulators below the MAC array: one column of entries for each of its columns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "hw_models/arithmetic/accumulator.h"
#include "hw_models/arithmetic/mx_block.h"
#include "hw_models/hardware_config.h"

namespace qsim {

/// Entry (e, column) holds one partial sum of `width_bits`. Each column updates one entry a cycle, so the
/// bank keeps pace with the array and has no time of its own; what it can run out of is entries.
/// std::logic_error where there is no such entry.
class AccumulatorBank {
 public:
  /// `stats` by report row (Recorder).
  AccumulatorBank(const AccumulatorConfig& config, std::int64_t columns, bool moves_values,
                  std::vector<arithmetic::AccumulatorStats>& stats);
  AccumulatorBank(const AccumulatorBank&) = delete;
  AccumulatorBank& operator=(const AccumulatorBank&) = delete;

  [[nodiscard]] const AccumulatorConfig& config() const { return config_; }

  /// Starts an entry from its preload, or adds a partial sum to it; overflow as configured.
  void preload(std::int32_t row, std::int64_t entry, std::int64_t column, std::int64_t value);
  void add(std::int32_t row, std::int64_t entry, std::int64_t column, std::int64_t partial_sum);
  /// Of two blocks; notes where it lost bits.
  void add_aligned(std::int32_t row, std::int64_t entry, std::int64_t column,
                   const arithmetic::AlignedSum& sum);
  [[nodiscard]] std::int64_t read(std::int64_t entry, std::int64_t column) const;
  /// Puts a sum back that was read before: no update, nothing to observe.
  void restore(std::int64_t entry, std::int64_t column, std::int64_t sum);
  /// Data-dependent sum of the inputs beside an entry (asymmetric weights); `first` starts it anew.
  void add_input_sum(std::int64_t entry, std::int64_t column, std::int64_t sum, bool first);
  [[nodiscard]] std::int64_t input_sum(std::int64_t entry, std::int64_t column) const;
  /// Data-dependent sum of the weights of a column beside an entry (weights that are activations).
  void add_weight_sum(std::int64_t entry, std::int64_t column, std::int64_t sum, bool first);
  [[nodiscard]] std::int64_t weight_sum(std::int64_t entry, std::int64_t column) const;

 private:
  [[nodiscard]] std::size_t index(std::int64_t entry, std::int64_t column) const;

  AccumulatorConfig config_;
  arithmetic::AccumulatorFormat format_;
  std::int64_t columns_;
  std::vector<arithmetic::AccumulatorStats>& stats_;
  std::vector<std::int64_t> storage_;     ///< Empty where no values move.
  std::vector<std::int64_t> input_sums_;  ///< Likewise.
  std::vector<std::int64_t> weight_sums_;
};

}  // namespace qsim
