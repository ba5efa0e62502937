// What an elementwise function has to know of a tensor.
#pragma once

#include <cstdint>

#include "hw_models/arithmetic/integer_format.h"

namespace qsim::arithmetic {

/// real = scale * (q - zero_point), q inside `format`; one scale for the tensor.
struct QuantizedType {
  IntegerFormat format{};
  float scale = 1.0F;
  std::int32_t zero_point = 0;
};

/// Limits of an output in output integers: the type's and a fused activation's.
struct ClampLimits {
  std::int32_t min = -128;
  std::int32_t max = 127;
};

}  // namespace qsim::arithmetic
