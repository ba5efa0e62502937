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

Quantization unsigned_symmetric_quantization(float max, int bits) {
  Quantization q;
  q.bits = bits;
  q.is_signed = false;
  const auto scale =
      static_cast<float>(static_cast<double>(max) / static_cast<double>(largest_magnitude(bits, false)));
  q.scales = {scale > 0.0F && std::isfinite(scale) ? scale : 1.0F};
  q.zero_points = {0};
  return q;
}

float power_of_two_above(float scale) {
  int exponent = 0;
  const float fraction = std::frexp(scale, &exponent);  // scale = fraction * 2^exponent, fraction in [0.5, 1)
  return std::ldexp(1.0F, fraction == 0.5F ? exponent - 1 : exponent);
}

std::vector<Quantization> power_of_two_grids(const Quantization& grid, const Range& range,
                                             bool is_symmetric) {
  const float above = power_of_two_above(grid.scale());
  std::vector<Quantization> grids;
  const auto add = [&](float scale, double offset) {
    Quantization q = grid;
    q.scales = {scale};
    if (!is_symmetric) {
      const double steps = static_cast<double>((std::int64_t{1} << q.bits) - 1);
      const double limited = std::clamp(std::nearbyint(offset), 0.0, steps);
      q.zero_points = {static_cast<std::int32_t>(q.format().min() + static_cast<std::int64_t>(limited))};
    }
    grids.push_back(std::move(q));
  };
  const auto low = static_cast<double>(range.low);
  const auto high = static_cast<double>(range.high);
  add(above, -low / static_cast<double>(above));
  if (above == grid.scale()) return grids;
  const float below = above / 2.0F;
  const double steps = static_cast<double>((std::int64_t{1} << grid.bits) - 1);
  const double keeps_low = -low / static_cast<double>(below);
  const double keeps_high = steps - high / static_cast<double>(below);
  add(below, keeps_low);
  if (is_symmetric) return grids;
  add(below, keeps_high);
  add(below, (keeps_low + keeps_high) / 2.0);
  return grids;
}

double squared_error(double x, const Quantization& quantization) {
  return squared_error(x, quantization, 1.0);
}

double squared_error(double x, const Quantization& quantization, double clipping_weight) {
  const arithmetic::IntegerFormat format = quantization.format();
  const auto scale = static_cast<double>(quantization.scale());
  const double z = quantization.zero_point();
  const double rounded = std::nearbyint(x / scale) + z;
  const double q = std::clamp(rounded, static_cast<double>(format.min()), static_cast<double>(format.max()));
  const double error = x - scale * (q - z);
  return (q == rounded ? 1.0 : clipping_weight) * error * error;
}

}  // namespace qsim
