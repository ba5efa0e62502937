#include "quantization/affine.h"

#include <algorithm>
#include <cmath>

#include "workloads/graph/requantize_tensor.h"

namespace qsim {

Quantization affine_quantization(Range range, int bits, bool is_signed) {
  range.include(0.0F);
  Quantization q;
  q.bits = bits;
  q.is_signed = is_signed;
  const double steps = static_cast<double>((std::int64_t{1} << bits) - 1);
  const double low = static_cast<double>(range.low);
  const auto scale = static_cast<float>((static_cast<double>(range.high) - low) / steps);
  q.scales = {scale > 0.0F && std::isfinite(scale) ? scale : 1.0F};
  const double offset = std::clamp(std::nearbyint(-low / static_cast<double>(q.scales[0])), 0.0, steps);
  q.zero_points = {static_cast<std::int32_t>(q.format().min() + static_cast<std::int64_t>(offset))};
  return q;
}

float symmetric_scale(float max_abs, int bits) {
  const auto p = static_cast<double>(largest_magnitude(bits, true));
  const auto scale = static_cast<float>(static_cast<double>(max_abs) / p);
  return scale > 0.0F && std::isfinite(scale) ? scale : 1.0F;
}

Quantization symmetric_quantization(float max_abs, int bits) {
  Quantization q;
  q.bits = bits;
  q.scales = {symmetric_scale(max_abs, bits)};
  q.zero_points = {0};
  return q;
}

double squared_error(double x, const Quantization& quantization) {
  const double scale = static_cast<double>(quantization.scale());
  const double zero_point = quantization.zero_point();
  const arithmetic::IntegerFormat format = quantization.format();
  const double q = std::clamp(std::nearbyint(x / scale) + zero_point, static_cast<double>(format.min()),
                              static_cast<double>(format.max()));
  const double error = x - scale * (q - zero_point);
  return error * error;
}

}  // namespace qsim
