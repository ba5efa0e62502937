// A limit that NaN does not pass.
#pragma once

namespace qsim::arithmetic {

/// v inside [low, high]; NaN becomes `low`. std::clamp would let it through to a conversion that is
/// undefined.
[[nodiscard]] constexpr float limited(float v, float low, float high) {
  const float raised = v >= low ? v : low;
  return raised <= high ? raised : high;
}

}  // namespace qsim::arithmetic
