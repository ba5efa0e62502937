#include "hw_models/arithmetic/rounding.h"

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
  }
  return "";
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
