#include "hw_models/arithmetic/rounding.h"

#include <cmath>

namespace qsim::arithmetic {

const char* rounding_profile_name(RoundingProfile profile) {
  switch (profile) {
    case RoundingProfile::float32:
      return "float32";
    case RoundingProfile::fixed_point_double_rounding:
      return "fixed_point_double_rounding";
    case RoundingProfile::fixed_point_single_rounding:
      return "fixed_point_single_rounding";
    case RoundingProfile::fixed_point_16bit_multiplier:
      return "fixed_point_16bit_multiplier";
    case RoundingProfile::float64:
      return "float64";
    case RoundingProfile::power_of_two:
      return "power_of_two";
    case RoundingProfile::affine:
      return "affine";
    case RoundingProfile::thresholds:
      return "thresholds";
  }
  return "";
}

double round_by(RoundingMode rounding, double value) {
  switch (rounding) {
    case RoundingMode::half_even:
      return std::nearbyint(value);
    case RoundingMode::half_away:
      return std::round(value);
    case RoundingMode::half_inward: {
      const double down = std::trunc(value);
      return std::abs(value - down) > 0.5 ? down + std::copysign(1.0, value) : down;
    }
    case RoundingMode::floor:
      return std::floor(value);
    case RoundingMode::ceil:
      return std::ceil(value);
    case RoundingMode::inward:
      return std::trunc(value);
    case RoundingMode::outward:
      return value < 0.0 ? std::floor(value) : std::ceil(value);
    case RoundingMode::sign:
      return value < 0.0 ? -1.0 : 1.0;
  }
  return 0.0;
}

const char* shift_rounding_name(ShiftRounding rounding) {
  switch (rounding) {
    case ShiftRounding::half_up:
      return "half_up";
    case ShiftRounding::half_away:
      return "half_away";
    case ShiftRounding::half_even:
      return "half_even";
    case ShiftRounding::truncate:
      return "truncate";
  }
  return "";
}

}  // namespace qsim::arithmetic
