// Requantization of whole blocks of accumulators, equal to requantize() element by element.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "hw_models/arithmetic/requantize.h"

namespace qsim::arithmetic {

/// The scales of a tensor's channels, one array a field. One scale stands for all channels.
class ChannelScales {
 public:
  ChannelScales(const Rounding& rounding, std::span<const ChannelScale> scales, std::int64_t channels);

  [[nodiscard]] const Rounding& rounding() const { return rounding_; }
  [[nodiscard]] std::int64_t channels() const { return channels_; }
  [[nodiscard]] ChannelScale scale(std::int64_t channel) const;

 private:
  friend struct RequantizeArguments;
  Rounding rounding_;
  std::int64_t channels_;
  bool in_vector_range_ = true;  ///< Every channel's shifts are such that 64-bit lanes hold what is computed.
  std::vector<ChannelScale> scales_;
  // In the form that the vector loop uses: q = ((x << left) * multiplier + half) >> right and variants.
  std::vector<float> factors_;
  std::vector<std::int32_t> multipliers_, left_shifts_, product_shifts_, right_shifts_;
};

/// A block of accumulators, element (r, n) at in[r * in_stride + n] for channel first_channel + n, and where
/// its outputs go.
template <class Accumulator, class Output>
struct RequantizeBlock {
  const Accumulator* in = nullptr;
  std::int64_t in_stride = 0;
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::int64_t first_channel = 0;
  Output* out = nullptr;
  std::int64_t out_stride = 0;
};

/// Output is int8, uint8, int16, uint16 or int32; the range lies inside the type. Accumulator is int32
/// (vector instructions) or int64.
template <class Accumulator, class Output>
void requantize_block(const ChannelScales& scales, const OutputRange& range,
                      const RequantizeBlock<Accumulator, Output>& block);

}  // namespace qsim::arithmetic
