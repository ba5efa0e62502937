#include "workloads/graph/quantize_value.h"

#include <algorithm>
#include <cmath>

namespace qsim {

std::int64_t quantize_value(float x, const Quantization& quantization) {
  const arithmetic::IntegerFormat format = quantization.format();
  // Rounded in float32 (to even), added and clamped in double: exact, and no overflow for infinities.
  const double shifted =
      static_cast<double>(std::nearbyint(x / quantization.scale())) + quantization.zero_point();
  return static_cast<std::int64_t>(
      std::clamp(shifted, static_cast<double>(format.min()), static_cast<double>(format.max())));
}

}  // namespace qsim
