// exp and 1/(1+x) in fixed point, as the int8 kernels of TFLite use them.
#pragma once

#include <cstdint>

namespace qsim::arithmetic {

/// exp(a) for a <= 0. `a` is Q5.26, the result Q0.31; exp(0) is 2^31 - 1.
[[nodiscard]] std::int32_t fixed_point_exp(std::int32_t a);

/// 1 / (1 + x) for 0 <= x <= 1. Argument and result are Q0.31.
[[nodiscard]] std::int32_t fixed_point_one_over_one_plus(std::int32_t x);

}  // namespace qsim::arithmetic
