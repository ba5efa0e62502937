#include "hw_models/arithmetic/sigmoid_16bit.h"

#include <cmath>
#include <cstdlib>

namespace qsim::arithmetic {

Sigmoid16Bit::Sigmoid16Bit(float input_scale, int exact_left_shifts) {
  // Entry i is s(i) = 2^16 / (1 + exp(-i/24)) lowered by half the error of linear interpolation in the middle
  // of its interval: round(s(i) - ((s(i) + s(i+1)) / 2 - s(i + 1/2)) / 2); the last one is 2^16 - 1.
  const auto sigmoid = [](double i) { return 65536.0 / (1.0 + std::exp(-i / 24.0)); };
  for (std::size_t k = 0; k + 1 < table_.size(); ++k) {
    const auto i = static_cast<double>(k);
    const double error = (sigmoid(i) + sigmoid(i + 1.0)) / 2.0 - sigmoid(i + 0.5);
    table_[k] = static_cast<std::uint16_t>(std::round(sigmoid(i) - error / 2.0));
  }
  table_.back() = 65535;
  int exponent = 0;
  const bool is_power_of_two = std::frexp(input_scale, &exponent) == 0.5F;
  const int left_shift = exponent - 1 + 12;
  if (is_power_of_two && left_shift >= 0 && left_shift <= exact_left_shifts) {
    multiplier_ = 3 << left_shift;
    return;
  }
  // scale * 4096 * 3 = multiplier / 2^right_shift with the multiplier, truncated, in (2^14, 2^15).
  double m = static_cast<double>(input_scale) * 4096.0 * 3.0;
  while (m <= 32767.0 / 2.0 && right_shift_ <= 30) {
    ++right_shift_;
    m *= 2.0;
  }
  multiplier_ = static_cast<std::int32_t>(m);
}

std::int32_t Sigmoid16Bit::to_table_scale(std::int32_t q) const {
  const std::int64_t half = right_shift_ > 0 ? std::int64_t{1} << (right_shift_ - 1) : 0;
  return static_cast<std::int32_t>((std::int64_t{q} * multiplier_ + half) >> right_shift_);
}

std::int32_t Sigmoid16Bit::interpolate(std::uint32_t magnitude, int fraction_bits,
                                       std::int32_t saturated) const {
  const std::size_t index = magnitude >> fraction_bits;
  if (index >= table_.size() - 1) {
    return saturated;
  }
  const std::int32_t base = table_[index];
  const std::int32_t slope = table_[index + 1] - base;
  const auto fraction = static_cast<std::int32_t>(magnitude & ((1U << fraction_bits) - 1U));
  return base * (1 << fraction_bits) + slope * fraction;
}

/// y = sigmoid(|x|) in Q.25; 1 - y for x < 0; rounded to Q.15 (half up, half down for x < 0).
std::int32_t Sigmoid16Bit::logistic(std::int32_t q) const {
  const std::int32_t x = to_table_scale(q);
  const std::int32_t y = interpolate(static_cast<std::uint32_t>(std::abs(x)), 9, 0x7FFF * (1 << 10));
  return (x >= 0 ? y + (1 << 9) : (1 << 25) - y + (1 << 9) - 1) >> 10;
}

/// y = sigmoid(2|x|) in Q.24; tanh = +-(2y - 1), rounded to Q.15 like logistic.
std::int32_t Sigmoid16Bit::tanh(std::int32_t q) const {
  const std::int32_t x = to_table_scale(q);
  const std::int32_t y = interpolate(static_cast<std::uint32_t>(std::abs(x)), 8, 0xFFFF * (1 << 8));
  return (x >= 0 ? y - (1 << 23) + (1 << 7) : (1 << 23) - y + (1 << 7) - 1) >> 8;
}

}  // namespace qsim::arithmetic
