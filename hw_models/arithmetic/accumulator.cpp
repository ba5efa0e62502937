#include "hw_models/arithmetic/accumulator.h"

#include <bit>

namespace qsim::arithmetic {

std::int64_t accumulate(const AccumulatorFormat& format, std::int64_t value, AccumulatorStats& stats) {
  stats.observe(value);
  if (value >= format.min() && value <= format.max()) {
    return value;
  }
  ++stats.overflows;
  if (format.overflow == Overflow::saturate) {
    return value < 0 ? format.min() : format.max();
  }
  // Keep the low width_bits bits and extend their sign.
  const int unused_bits = 64 - format.width_bits;
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(value) << unused_bits) >> unused_bits;
}

int signed_bits(std::int64_t min, std::int64_t max) {
  // x >= 0 needs the bits of x and a sign; x < 0 needs the bits of ~x = -x - 1 and a sign.
  const auto magnitude_bits = [](std::int64_t x) {
    return static_cast<int>(std::bit_width(static_cast<std::uint64_t>(x < 0 ? ~x : x)));
  };
  return std::max(magnitude_bits(min), magnitude_bits(max)) + 1;
}

}  // namespace qsim::arithmetic
