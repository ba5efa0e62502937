#include "hw_models/arithmetic/requantize_block.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <type_traits>

#include "hw_models/arithmetic/requantize_lanes.h"

namespace qsim::arithmetic {

// The lanes compute, with m, l, p, r from here (formulas: requantize.cpp):
//   double rounding      divide_half_away(SRDHM(saturate(x << l), m), r)
//   single rounding      (x * m + 2^(p-1)) >> p, p = 31 - shift
//   16-bit multiplier    the same with the multiplier rounded to 16 bits and p = 15 - shift
//   power of two         (x << l) / 2^r by the rule of its shift
ChannelScales::ChannelScales(const Rounding& rounding, std::span<const ChannelScale> scales,
                             std::int64_t channels)
    : rounding_(rounding), channels_(channels), scales_(scales.begin(), scales.end()) {
  const bool is_16bit = rounding.profile == RoundingProfile::fixed_point_16bit_multiplier;
  const bool is_single = rounding.profile == RoundingProfile::fixed_point_single_rounding;
  for (std::int64_t channel = 0; channel < channels; ++channel) {
    const ChannelScale s = scale(channel);
    factors_.push_back(s.scale);
    multipliers_.push_back(is_16bit ? round_to_16bit_multiplier(s.multiplier) : s.multiplier);
    left_shifts_.push_back(std::clamp(s.shift, 0, 31));
    right_shifts_.push_back(std::clamp(-s.shift, 0, 62));
    const int product_shift = (is_16bit ? 15 : 31) - s.shift;
    product_shifts_.push_back(std::clamp(product_shift, 1, 62));
    // A product of int32 and a half of 2^61 fit 64 bits, and a left shift by 31 does.
    in_vector_range_ =
        in_vector_range_ && std::abs(s.shift) <= 31 && (!(is_16bit || is_single) || product_shift >= 1);
  }
}

ChannelScale ChannelScales::scale(std::int64_t channel) const {
  return scales_[scales_.size() == 1 ? 0 : static_cast<std::size_t>(channel)];
}

bool RequantizeArguments::fits_lanes(const ChannelScales& scales, const OutputRange& range) {
  constexpr std::array kElementByElement{RoundingProfile::float64, RoundingProfile::affine,
                                         RoundingProfile::thresholds};
  if (std::ranges::find(kElementByElement, scales.rounding_.profile) != kElementByElement.end()) return false;
  if (scales.rounding_.profile != RoundingProfile::float32) {
    return scales.in_vector_range_;
  }
  constexpr std::int64_t kExactInFloat32 = 1 << 24;
  return std::abs(std::int64_t{range.clamp_min} - range.zero_point) <= kExactInFloat32 &&
         std::abs(std::int64_t{range.clamp_max} - range.zero_point) <= kExactInFloat32;
}

template <class Accumulator, class Output>
void requantize_block(const ChannelScales& scales, const OutputRange& range,
                      const RequantizeBlock<Accumulator, Output>& block) {
  const bool in_lanes =
      std::is_same_v<Accumulator, std::int32_t> && RequantizeArguments::fits_lanes(scales, range);
  for (std::int64_t r = 0; r < block.rows; ++r) {
    const Accumulator* in = block.in + r * block.in_stride;
    Output* out = block.out + r * block.out_stride;
    std::int64_t done = 0;
    if constexpr (std::is_same_v<Accumulator, std::int32_t>) {
      std::array<std::int32_t, 256> wide{};
      while (in_lanes && done < block.columns) {
        const RequantizeArguments arguments(scales, range, block.first_channel + done);
        const std::int64_t count = requantize_lanes(
            arguments, in + done, std::min<std::int64_t>(256, block.columns - done), wide.data());
        std::transform(wide.begin(), wide.begin() + count, out + done,
                       [](std::int32_t y) { return static_cast<Output>(y); });
        done += count;
        if (count == 0) {
          break;
        }
      }
    }
    for (; done < block.columns; ++done) {
      const ChannelScale scale = scales.scale(block.first_channel + done);
      out[done] = static_cast<Output>(requantize(scales.rounding(), scale, range, in[done]));
    }
  }
}

#define QSIM_INSTANTIATE(accumulator, output)                                                   \
  template void requantize_block<accumulator, output>(const ChannelScales&, const OutputRange&, \
                                                      const RequantizeBlock<accumulator, output>&)
QSIM_INSTANTIATE(std::int32_t, std::int8_t);
QSIM_INSTANTIATE(std::int32_t, std::uint8_t);
QSIM_INSTANTIATE(std::int32_t, std::int16_t);
QSIM_INSTANTIATE(std::int32_t, std::uint16_t);
QSIM_INSTANTIATE(std::int32_t, std::int32_t);
QSIM_INSTANTIATE(std::int64_t, std::int8_t);
QSIM_INSTANTIATE(std::int64_t, std::uint8_t);
QSIM_INSTANTIATE(std::int64_t, std::int16_t);
QSIM_INSTANTIATE(std::int64_t, std::uint16_t);
QSIM_INSTANTIATE(std::int64_t, std::int32_t);
#undef QSIM_INSTANTIATE

}  // namespace qsim::arithmetic
