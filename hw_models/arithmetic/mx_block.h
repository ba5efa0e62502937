// Blocks of integers with a shared power of two: MXINT8 of the OCP Microscaling Formats specification 1.0.
//
//   value = m * 2^-6 * 2^e,   m an integer of 8 bits from -127 to 127, e the block's exponent, -127 to 127
//
// Up to 32 neighbouring elements are a block: the channels of a pixel, or of a kernel tap. Elements are
// stored block by block, each with its exponent behind it, so that C channels take C + ceil(C / 32) bytes.
// The exponent is stored as a signed byte: E8M0 without its bias of 127, in which -128 is no exponent (NaN).
//
// A block of values v has (sections 5.2 and 6.3; m = -128 is left out, as the specification allows)
//
//   e = clamp(floor(log2(max |v|)), -127, 127), of zeros alone -127;   m = clamp(round(v * 2^(6 - e)), -127,
//   127)
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

#include "hw_models/arithmetic/rounding.h"

namespace qsim::arithmetic {

inline constexpr std::int64_t kMxBlock = 32;
inline constexpr int kMxFractionBits = 6;
inline constexpr std::int64_t kMxLargest = 127;
inline constexpr int kMxExponentLimit = 127;

/// Stored elements of channels [0, channels): a border of blocks, or the last channel.
[[nodiscard]] constexpr std::int64_t mx_stored(std::int64_t channels) {
  return channels + (channels + kMxBlock - 1) / kMxBlock;
}
/// Inverse of mx_stored(); 0 where no number of channels takes so many elements.
[[nodiscard]] constexpr std::int64_t mx_channels(std::int64_t stored) {
  const std::int64_t channels = stored - (stored + kMxBlock) / (kMxBlock + 1);
  return channels > 0 && mx_stored(channels) == stored ? channels : 0;
}
/// Where a channel's element is stored, and where the exponent of its block, of `channels` channels.
[[nodiscard]] constexpr std::int64_t mx_element(std::int64_t channel) {
  return channel + channel / kMxBlock;
}
[[nodiscard]] constexpr std::int64_t mx_exponent(std::int64_t channel, std::int64_t channels) {
  const std::int64_t block = channel / kMxBlock;
  return std::min(channels, (block + 1) * kMxBlock) + block;
}

/// v / 2^shift, |v| <= 2^62; shift 1 to 62.
[[nodiscard]] constexpr std::int64_t shift_right(std::int64_t v, int shift, ShiftRounding rounding) {
  const std::int64_t below = v >> shift;
  const std::int64_t rest = v - below * (std::int64_t{1} << shift);
  const std::int64_t half = std::int64_t{1} << (shift - 1);
  switch (rounding) {
    case ShiftRounding::half_up:
      return below + (rest >= half ? 1 : 0);
    case ShiftRounding::half_away:
      return below + (rest > half || (rest == half && v >= 0) ? 1 : 0);
    case ShiftRounding::half_even:
      return below + (rest > half || (rest == half && below % 2 != 0) ? 1 : 0);
    case ShiftRounding::truncate:
      break;
  }
  return below;
}

/// The sum of products of two blocks on its way into an accumulator.
struct AlignedSum {
  std::int64_t value = 0;
  bool is_rounded = false;  ///< Bits were lost below.
};

/// The largest shift: 32 products of 127 * 127 take 19 bits, and 43 more are 2^62. A sum that is shifted
/// further is held at 2^62 with its sign, which overflows accumulators of at most 62 bits.
inline constexpr int kMxLargestShift = 43;
inline constexpr std::int64_t kMxShiftedLimit = std::int64_t{1} << 62;

/// sum * 2^shift, below 0 rounded; |sum| < 2^19.
[[nodiscard]] constexpr AlignedSum align(std::int64_t sum, int shift, ShiftRounding rounding) {
  if (sum == 0 || shift == 0) return {sum, false};
  if (shift > kMxLargestShift) return {sum < 0 ? -kMxShiftedLimit : kMxShiftedLimit, false};
  if (shift > 0) return {sum * (std::int64_t{1} << shift), false};
  const int right = std::min(-shift, 62);
  const bool loses = (static_cast<std::uint64_t>(sum) & ((std::uint64_t{1} << right) - 1)) != 0;
  return {shift_right(sum, right, rounding), loses};
}

/// Accumulators hold integers of 2^(reference - 12): products of two blocks with e_w + e_x = reference are
/// added as they are. So that sums of less than 2^range in magnitude fit `width_bits`:
[[nodiscard]] constexpr int mx_reference(int range, int width_bits) {
  return range + 2 * kMxFractionBits - (width_bits - 1);
}

/// What a block of accumulators becomes.
struct MxScale {
  int exponent = -kMxExponentLimit;
  int shift = 0;  ///< m = round(v / 2^shift)
};

[[nodiscard]] constexpr std::uint64_t magnitude(std::int64_t v) {
  return v < 0 ? std::uint64_t{0} - static_cast<std::uint64_t>(v) : static_cast<std::uint64_t>(v);
}

/// From the largest magnitude of a block: e = floor(log2(largest * 2^(reference - 12))).
[[nodiscard]] constexpr MxScale mx_scale(std::uint64_t largest, int reference) {
  if (largest == 0) return {};
  const int unit = reference - 2 * kMxFractionBits;
  MxScale scale;
  scale.exponent =
      std::clamp(static_cast<int>(std::bit_width(largest)) - 1 + unit, -kMxExponentLimit, kMxExponentLimit);
  scale.shift = scale.exponent - kMxFractionBits - unit;
  return scale;
}

[[nodiscard]] constexpr std::int64_t mx_element_of(std::int64_t v, const MxScale& scale,
                                                   ShiftRounding rounding) {
  if (v == 0) return 0;
  std::int64_t m = v;
  if (scale.shift > 62) {
    m = 0;
  } else if (scale.shift > 0) {
    m = shift_right(v, scale.shift, rounding);
  } else if (scale.shift < 0) {
    const bool fits = static_cast<int>(std::bit_width(magnitude(v))) - scale.shift <= 8;
    m = fits ? v * (std::int64_t{1} << -scale.shift) : v < 0 ? -kMxLargest : kMxLargest;
  }
  return std::clamp(m, -kMxLargest, kMxLargest);
}

/// Limits of what the requantizer makes blocks of, in the accumulators' unit.
struct MxClamp {
  std::int64_t low = -(std::int64_t{1} << 62), high = std::int64_t{1} << 62;
};

}  // namespace qsim::arithmetic
