// Functions of a window: pooling and means.
#include <algorithm>
#include <bit>
#include <cmath>
#include <stdexcept>

#include "hw_models/arithmetic/limited.h"
#include "hw_models/arithmetic/requantize.h"
#include "hw_models/arithmetic/vector_functions.h"

namespace qsim::arithmetic {
namespace {

std::int64_t evaluate_window(const MaxPoolFunction& f, const WindowState& window) {
  return std::clamp<std::int64_t>(window.maximum, f.clamp_min, f.clamp_max);
}

/// (sum > 0 ? sum + count/2 : sum - count/2) / count, every division truncated.
std::int64_t evaluate_window(const TfliteAveragePoolFunction& f, const WindowState& window) {
  const std::int64_t half = window.count / 2;
  const std::int64_t mean = (window.sum > 0 ? window.sum + half : window.sum - half) / window.count;
  return std::clamp<std::int64_t>(mean, f.clamp_min, f.clamp_max);
}

/// The division by n = count is folded into the multiplier:
///   e = min(floor(log2 n), 32, 31 + shift);  m' = (multiplier * 2^e) / n, truncated;  shift' = shift - e
///   q = clamp(MBQM(sum - n * input_zero_point, m', shift') + output_zero_point)
std::int64_t evaluate_window(const TfliteMeanFunction& f, const WindowState& window) {
  const int log2_count = std::bit_width(static_cast<std::uint64_t>(window.count)) - 1;
  const int e = std::min({log2_count, 32, 31 + f.shift});
  const auto multiplier =
      static_cast<std::int32_t>(std::int64_t{f.multiplier} * (std::int64_t{1} << e) / window.count);
  const auto sum = static_cast<std::int32_t>(window.sum - window.count * f.input_zero_point);
  const std::int64_t scaled = multiply_by_quantized_multiplier(sum, multiplier, f.shift - e);
  return std::clamp<std::int64_t>(scaled + f.output_zero_point, f.clamp_min, f.clamp_max);
}

/// s = xs / (ys * float32(n)); q = clamp(rne(float32(sum - n*xz) * s) + yz).
std::int64_t evaluate_window(const OnnxGlobalAveragePoolFunction& f, const WindowState& window) {
  ChannelScale scale;
  scale.scale = f.input_scale / (f.output_scale * static_cast<float>(window.count));
  return requantize(RoundingProfile::float32, scale, {f.output_zero_point, f.clamp_min, f.clamp_max},
                    window.sum - window.count * f.input_zero_point);
}

/// rne(v), limited; limiting first gives the same integers.
std::int64_t rounded(float v, std::int32_t low, std::int32_t high) {
  return static_cast<std::int64_t>(
      std::nearbyint(limited(v, static_cast<float>(low), static_cast<float>(high))));
}

/// mean = (sum of xs * (x - xz), in order) / n;  q = clamp(rne(mean / ys + yz)): the zero point is added
/// before rounding. All in float32.
std::int64_t evaluate_window(const OnnxAveragePoolFunction& f, const WindowState& window) {
  const float mean = window.real_sum / static_cast<float>(f.divisor > 0 ? f.divisor : window.count);
  return rounded(mean / f.output_scale + static_cast<float>(f.output_zero_point), f.clamp_min, f.clamp_max);
}

std::int64_t evaluate_window(const OnnxMeanFunction& /*f*/, const WindowState& /*window*/) {
  throw std::logic_error("OnnxMeanFunction: a window state does not keep the order of the elements");
}

}  // namespace

void accumulate(const WindowFunction& function, WindowState& window, std::int64_t x) {
  std::visit(
      [&](const auto& f) {
        if constexpr (requires { f.real(x); }) {
          window.add_real(f.real(x));
        } else {
          window.add(x);
        }
      },
      function);
}

std::int64_t evaluate(const WindowFunction& function, const WindowState& window) {
  return std::visit([&window](const auto& f) { return evaluate_window(f, window); }, function);
}

}  // namespace qsim::arithmetic
