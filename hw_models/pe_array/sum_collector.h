// The edge at which sums leave the PEs for the accumulators.
#pragma once

#include <cstdint>
#include <vector>

#include "hw_models/core/accumulator_bank.h"
#include "hw_models/core/buffer_storage.h"
#include "hw_models/core/parameters.h"
#include "hw_models/pe_array/pass.h"

namespace qsim {

/// Updates the accumulator that a sum belongs to, and the data-dependent sums beside it.
class SumCollector {
 public:
  /// A column takes a sum every `update_cycles`.
  SumCollector(AccumulatorBank& accumulators, const BufferStorage& weight_buffer, std::int64_t update_cycles,
               bool moves_values)
      : accumulators_(accumulators),
        weight_buffer_(weight_buffer),
        update_cycles_(update_cycles),
        moves_values_(moves_values) {}

  /// A partial sum of pixel and channel, both counted from the tile's first, which arrives in `cycle`. Of a
  /// tile's first chunk it starts from the preload; with groups the sum is multiplied on its way.
  /// std::logic_error where the column is not ready for it.
  void add(Pass& pass, Cycle cycle, std::int64_t pixel, std::int64_t channel, std::int64_t sum);
  /// The sum of the inputs of a pixel in a group, for all channels of the group.
  void add_input_sum(Pass& pass, std::int64_t pixel, std::int64_t group, std::int64_t sum);
  /// The sum of the weights of a channel, for all pixels of the tile or for one.
  void add_weight_sum(Pass& pass, std::int64_t channel, std::int64_t sum);
  void add_weight_sum(Pass& pass, std::int64_t pixel, std::int64_t channel, std::int64_t sum);

 private:
  [[nodiscard]] ParameterReader parameters_of(const MacTile& tile) const;
  [[nodiscard]] static AccumulatorCell cell(const Pass& pass, std::int64_t pixel, std::int64_t channel);

  AccumulatorBank& accumulators_;
  const BufferStorage& weight_buffer_;
  std::int64_t update_cycles_;
  bool moves_values_;
  std::vector<Cycle> ready_from_;  ///< By column: it takes its next sum.
};

}  // namespace qsim
