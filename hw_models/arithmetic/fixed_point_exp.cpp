#include "hw_models/arithmetic/fixed_point_exp.h"

#include <array>
#include <limits>

#include "hw_models/arithmetic/fixed_point.h"

namespace qsim::arithmetic {
namespace {

constexpr std::int32_t kOne = std::numeric_limits<std::int32_t>::max();  ///< 1 - 2^-31 in Q0.31

/// exp(a) for -1/4 <= a < 0, both Q0.31. With x = a + 1/8:
/// exp(-1/8) * (1 + x + x^2/2 + x^3/6 + x^4/24), evaluated as c + c * (x + ((x^4/4 + x^3)/3 + x^2)/2).
std::int32_t exp_of_last_quarter(std::int32_t a) {
  constexpr std::int32_t kExpMinusEighth = 1895147668;  // round(exp(-1/8) * 2^31)
  constexpr std::int32_t kOneThird = 715827883;         // round(2^31 / 3)
  const std::int32_t x = a + (1 << 28);
  const std::int32_t x2 = doubling_high_multiply(x, x);
  const std::int32_t x3 = doubling_high_multiply(x2, x);
  const std::int32_t x4 = doubling_high_multiply(x2, x2);
  const std::int32_t cubic = doubling_high_multiply(rounding_divide_by_power_of_two(x4, 2) + x3, kOneThird);
  const std::int32_t tail = rounding_divide_by_power_of_two(cubic + x2, 1);
  return kExpMinusEighth + doubling_high_multiply(kExpMinusEighth, x + tail);
}

}  // namespace

std::int32_t fixed_point_exp(std::int32_t a) {
  if (a == 0) {
    return kOne;
  }
  // a = rest - remainder with -1/4 <= rest < 0 and remainder a multiple of 1/4, whose binary digits select
  // factors exp(-1/4), exp(-1/2), exp(-1), ... exp(-16): round(exp(-2^e) * 2^31).
  constexpr int kFractionBits = 26;
  constexpr std::int32_t kQuarter = 1 << (kFractionBits - 2);
  constexpr std::array<std::int32_t, 7> kFactors = {1672461947, 1302514674, 790015084, 290630308,
                                                    39332535,   720401,     242};
  const std::int32_t rest = (a & (kQuarter - 1)) - kQuarter;
  const auto remainder = static_cast<std::uint32_t>(rest) - static_cast<std::uint32_t>(a);
  std::int32_t result = exp_of_last_quarter(saturating_left_shift(rest, 5));
  for (std::size_t i = 0; i < kFactors.size(); ++i) {
    if (((remainder >> (kFractionBits - 2 + i)) & 1U) != 0) {
      result = doubling_high_multiply(result, kFactors[i]);
    }
  }
  return result;
}

std::int32_t fixed_point_one_over_one_plus(std::int32_t x) {
  // Newton-Raphson for 1/d with d = (1 + x)/2 in Q0.31, estimates y in Q2.29:
  // y0 = 48/17 - 32/17 d;  y <- y + y (1 - d y).
  constexpr std::int32_t k48Over17 = 1515870810;
  constexpr std::int32_t kMinus32Over17 = -1010580540;
  constexpr std::int32_t kOneQ2 = 1 << 29;
  const auto d = static_cast<std::int32_t>((std::int64_t{x} + kOne + 1) / 2);
  std::int32_t y = k48Over17 + doubling_high_multiply(d, kMinus32Over17);
  for (int i = 0; i < 3; ++i) {
    const std::int32_t error = kOneQ2 - doubling_high_multiply(d, y);
    // Q2 * Q2 is Q4: two bits to the left bring it back.
    y += saturating_left_shift(doubling_high_multiply(y, error), 2);
  }
  // 1/(1+x) = y/2: Q2.29 halved is Q1.30 of the same integer; one bit more makes it Q0.31.
  return saturating_left_shift(y, 1);
}

}  // namespace qsim::arithmetic
