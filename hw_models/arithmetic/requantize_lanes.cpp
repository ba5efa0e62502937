#include "hw_models/arithmetic/requantize_lanes.h"

#define HWY_WANT_AVX3_DL
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "hw_models/arithmetic/requantize_lanes.cpp"
#include <hwy/foreach_target.h>
// after foreach_target.h
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace qsim::arithmetic::HWY_NAMESPACE {

#if HWY_TARGET == HWY_SCALAR

/// Without vectors the elements take the formulas of requantize().
std::int64_t RequantizeLanes(const RequantizeArguments& /*arguments*/, const std::int32_t* /*in*/,
                             std::int64_t /*count*/, std::int32_t* /*out*/) {
  return 0;
}

#else

namespace hn = hwy::HWY_NAMESPACE;
using D32 = hn::ScalableTag<std::int32_t>;
using D64 = hn::RepartitionToWide<D32>;
using V32 = hn::Vec<D32>;
using V64 = hn::Vec<D64>;

/// The even or the odd lanes of 32 bits as 64-bit integers.
HWY_INLINE V64 even_lanes(V32 x) {
  return hn::ShiftRight<32>(hn::ShiftLeft<32>(hn::BitCast(D64(), x)));
}
HWY_INLINE V64 odd_lanes(V32 x) {
  return hn::ShiftRight<32>(hn::BitCast(D64(), x));
}

/// x / 2^shift, rounded to nearest, half away from zero; shift 0 keeps x.
HWY_INLINE V64 divide_half_away(V64 x, V64 shift) {
  const D64 d;
  const V64 zero = hn::Zero(d);
  const V64 rounds = hn::VecFromMask(d, hn::Gt(shift, zero));
  const V64 half =
      hn::And(rounds, hn::Shl(hn::Set(d, 1), hn::Sub(hn::Max(shift, hn::Set(d, 1)), hn::Set(d, 1))));
  const V64 toward_zero = hn::And(rounds, hn::VecFromMask(d, hn::Lt(x, zero)));
  return hn::Shr(hn::Add(hn::Add(x, half), toward_zero), shift);
}

/// (product + 2^(shift-1)) >> shift, shift >= 1.
HWY_INLINE V64 shift_half_up(V64 product, V64 shift) {
  const D64 d;
  const V64 half = hn::Shl(hn::Set(d, 1), hn::Sub(shift, hn::Set(d, 1)));
  return hn::Shr(hn::Add(product, half), shift);
}

/// x / 2^shift by the rule of power_of_two's shift; shift 0 keeps x.
HWY_INLINE V64 divide_by_rule(V64 x, V64 shift, ShiftRounding rounding) {
  if (rounding == ShiftRounding::half_away) return divide_half_away(x, shift);
  const V64 floor = hn::Shr(x, shift);
  if (rounding == ShiftRounding::truncate) return floor;
  const D64 d;
  const V64 one = hn::Set(d, 1);
  const V64 rounds = hn::VecFromMask(d, hn::Gt(shift, hn::Zero(d)));
  V64 added = hn::Shl(one, hn::Sub(hn::Max(shift, one), one));
  if (rounding == ShiftRounding::half_even) added = hn::Add(hn::Sub(added, one), hn::And(floor, one));
  return hn::Shr(hn::Add(x, hn::And(rounds, added)), shift);
}

/// One channel's parameters in 64-bit lanes, and the rule of power_of_two's shift.
struct Shifts {
  V64 left, product, right;
  ShiftRounding rounding;
};

/// The profiles' formulas on 64-bit lanes; `multiplier` is in the low half of each lane.
template <RoundingProfile kProfile>
HWY_INLINE V64 scale(V64 x, V64 multiplier, const Shifts& shifts) {
  const D64 d;
  const D32 d32;
  const auto multiply = [&](V64 a) HWY_ATTR {
    return hn::MulEven(hn::BitCast(d32, a), hn::BitCast(d32, multiplier));
  };
  if constexpr (kProfile == RoundingProfile::power_of_two) {
    return divide_by_rule(hn::Shl(x, shifts.left), shifts.right, shifts.rounding);
  } else if constexpr (kProfile == RoundingProfile::fixed_point_double_rounding) {
    // SRDHM: (a*b + 2^30) >> 31; the truncating form with its negative nudge is the same integer.
    const V64 shifted =
        hn::Min(hn::Max(hn::Shl(x, shifts.left), hn::Set(d, -2147483648LL)), hn::Set(d, 2147483647LL));
    const V64 high = hn::ShiftRight<31>(hn::Add(multiply(shifted), hn::Set(d, 1 << 30)));
    return divide_half_away(high, shifts.right);
  } else {
    return shift_half_up(multiply(x), shifts.product);
  }
}

template <RoundingProfile kProfile>
HWY_INLINE V32 requantize_fixed(const RequantizeArguments& arguments, V32 x, std::int64_t i) {
  const D32 d32;
  const D64 d;
  const V32 multiplier = hn::LoadU(d32, arguments.multipliers + i);
  const V32 left = hn::LoadU(d32, arguments.left_shifts + i);
  const V32 product = hn::LoadU(d32, arguments.product_shifts + i);
  const V32 right = hn::LoadU(d32, arguments.right_shifts + i);
  const ShiftRounding rounding = arguments.rounding.shift;
  const OutputRange& range = arguments.range;
  const V64 zero_point = hn::Set(d, range.zero_point);
  const V64 low = hn::Set(d, range.clamp_min);
  const V64 high = hn::Set(d, range.clamp_max);
  const auto limited = [&](V64 y) HWY_ATTR { return hn::Min(hn::Max(hn::Add(y, zero_point), low), high); };
  const V64 even =
      limited(scale<kProfile>(even_lanes(x), even_lanes(multiplier),
                              {even_lanes(left), even_lanes(product), even_lanes(right), rounding}));
  const V64 odd = limited(scale<kProfile>(odd_lanes(x), odd_lanes(multiplier),
                                          {odd_lanes(left), odd_lanes(product), odd_lanes(right), rounding}));
  return hn::OddEven(hn::BitCast(d32, hn::ShiftLeft<32>(odd)), hn::BitCast(d32, even));
}

/// rne(clamp(float32(x) * s)) + zero point.
HWY_INLINE V32 requantize_float(const RequantizeArguments& arguments, V32 x, std::int64_t i) {
  const D32 d32;
  const hn::RebindToFloat<D32> df;
  const OutputRange& range = arguments.range;
  const auto v = hn::Mul(hn::ConvertTo(df, x), hn::LoadU(df, arguments.factors + i));
  const auto low = hn::Set(df, static_cast<float>(range.clamp_min - range.zero_point));
  const auto high = hn::Set(df, static_cast<float>(range.clamp_max - range.zero_point));
  return hn::Add(hn::NearestInt(hn::Min(hn::Max(v, low), high)), hn::Set(d32, range.zero_point));
}

template <RoundingProfile kProfile>
HWY_INLINE V32 requantize_vector(const RequantizeArguments& arguments, V32 x, std::int64_t i) {
  if constexpr (kProfile == RoundingProfile::float32) {
    return requantize_float(arguments, x, i);
  } else {
    return requantize_fixed<kProfile>(arguments, x, i);
  }
}

template <RoundingProfile kProfile>
std::int64_t requantize_row(const RequantizeArguments& arguments, const std::int32_t* in, std::int64_t count,
                            std::int32_t* out) {
  const D32 d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    hn::StoreU(requantize_vector<kProfile>(arguments, hn::LoadU(d, in + i), i), d, out + i);
  }
  return i;
}

std::int64_t RequantizeLanes(const RequantizeArguments& arguments, const std::int32_t* in, std::int64_t count,
                             std::int32_t* out) {
  switch (arguments.rounding.profile) {
    case RoundingProfile::float32:
      return requantize_row<RoundingProfile::float32>(arguments, in, count, out);
    case RoundingProfile::fixed_point_double_rounding:
      return requantize_row<RoundingProfile::fixed_point_double_rounding>(arguments, in, count, out);
    case RoundingProfile::fixed_point_single_rounding:
      return requantize_row<RoundingProfile::fixed_point_single_rounding>(arguments, in, count, out);
    case RoundingProfile::fixed_point_16bit_multiplier:
      return requantize_row<RoundingProfile::fixed_point_16bit_multiplier>(arguments, in, count, out);
    case RoundingProfile::float64:
    case RoundingProfile::affine:
    case RoundingProfile::thresholds:
      return 0;  // Element by element: half away from zero has no vector instruction.
    case RoundingProfile::power_of_two:
      return requantize_row<RoundingProfile::power_of_two>(arguments, in, count, out);
  }
  return 0;
}

#endif

}  // namespace qsim::arithmetic::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace qsim::arithmetic {

HWY_EXPORT(RequantizeLanes);

std::int64_t requantize_lanes(const RequantizeArguments& arguments, const std::int32_t* in,
                              std::int64_t count, std::int32_t* out) {
  return HWY_DYNAMIC_DISPATCH(RequantizeLanes)(arguments, in, count, out);
}

}  // namespace qsim::arithmetic
#endif
