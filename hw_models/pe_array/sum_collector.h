// The edge at which sums leave the PEs for the accumulators.
#pragma once

#include <cstdint>

#include "hw_models/accumulator_bank.h"
#include "hw_models/pe_array/pass.h"
#include "hw_models/sram_buffer.h"

namespace qsim {

/// Updates the accumulator that a sum belongs to, and the data-dependent sums beside it.
class SumCollector {
 public:
  SumCollector(AccumulatorBank& accumulators, const SramBuffer& weight_buffer, bool moves_values)
      : accumulators_(accumulators), weight_buffer_(weight_buffer), moves_values_(moves_values) {}

  /// A partial sum of pixel and channel, both counted from the tile's first. Of a tile's first chunk it
  /// starts from the preload.
  void add(Pass& pass, std::int64_t pixel, std::int64_t channel, std::int64_t sum);
  /// The sum of the inputs of a pixel in a group, for all channels of the group.
  void add_input_sum(Pass& pass, std::int64_t pixel, std::int64_t group, std::int64_t sum);
  /// The sum of the weights of a channel, for all pixels of the tile or for one.
  void add_weight_sum(Pass& pass, std::int64_t channel, std::int64_t sum);
  void add_weight_sum(Pass& pass, std::int64_t pixel, std::int64_t channel, std::int64_t sum);

 private:
  [[nodiscard]] static AccumulatorCell cell(const Pass& pass, std::int64_t pixel, std::int64_t channel);

  AccumulatorBank& accumulators_;
  const SramBuffer& weight_buffer_;
  bool moves_values_;
};

}  // namespace qsim
