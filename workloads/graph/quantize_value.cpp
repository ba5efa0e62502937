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

std::vector<float> real_values(const TensorData& data, const std::optional<Quantization>& quantization) {
  if (data.type == ElementType::f32) {
    const auto values = data.as<float>();
    return {values.begin(), values.end()};
  }
  std::vector<float> values(static_cast<std::size_t>(data.size()));
  for (std::int64_t i = 0; i < data.size(); ++i) {
    const auto q = static_cast<double>(data.at(i));
    const double real = quantization ? static_cast<double>(quantization->scale()) *
                                           (q - static_cast<double>(quantization->zero_point()))
                                     : q;
    values[static_cast<std::size_t>(i)] = static_cast<float>(real);
  }
  return values;
}

}  // namespace qsim
