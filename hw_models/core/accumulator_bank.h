// The accumulators below the MAC array: one column of entries for each of its columns.
#pragma once

#include <cstdint>
#include <systemc>
#include <vector>

#include "hw_models/arithmetic/accumulator.h"
#include "hw_models/core/chip_context.h"
#include "hw_models/hardware_config.h"

namespace qsim {

/// Entry (e, column) holds one partial sum of `width_bits`. Each column updates one entry a cycle, so the
/// bank keeps pace with the array; what it can run out of is entries.
class AccumulatorBank : public sc_core::sc_module {
 public:
  AccumulatorBank(sc_core::sc_module_name name, const AccumulatorConfig& config, std::int64_t columns,
                  ChipContext& context);
  AccumulatorBank(const AccumulatorBank&) = delete;
  AccumulatorBank& operator=(const AccumulatorBank&) = delete;

  /// Starts an entry from its preload, or adds a partial sum to it; overflow as configured.
  void preload(std::int32_t row, std::int64_t entry, std::int64_t column, std::int64_t value);
  void add(std::int32_t row, std::int64_t entry, std::int64_t column, std::int64_t partial_sum);
  [[nodiscard]] std::int64_t read(std::int64_t entry, std::int64_t column) const;
  /// Data-dependent sum of the inputs beside an entry (asymmetric weights); `first` starts it anew.
  void add_input_sum(std::int64_t entry, std::int64_t column, std::int64_t sum, bool first);
  [[nodiscard]] std::int64_t input_sum(std::int64_t entry, std::int64_t column) const;
  /// Data-dependent sum of the weights of a column beside an entry (weights that are activations).
  void add_weight_sum(std::int64_t entry, std::int64_t column, std::int64_t sum, bool first);
  [[nodiscard]] std::int64_t weight_sum(std::int64_t entry, std::int64_t column) const;

  [[nodiscard]] const AccumulatorConfig& config() const { return config_; }

 private:
  [[nodiscard]] std::size_t index(std::int64_t entry, std::int64_t column) const;

  AccumulatorConfig config_;
  arithmetic::AccumulatorFormat format_;
  std::int64_t columns_;
  ChipContext& context_;
  std::vector<std::int64_t> storage_;     ///< Empty where no values move.
  std::vector<std::int64_t> input_sums_;  ///< Likewise.
  std::vector<std::int64_t> weight_sums_;
};

}  // namespace qsim
