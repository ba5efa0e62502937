#include "quantization/quantize_weights.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "workloads/graph/quantize_value.h"
#include "workloads/graph/requantize_tensor.h"

namespace qsim {
namespace {

/// Mean magnitude: the scale of one-bit weights.
float mean_magnitude(std::span<const float> weights) {
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0, [](double total, float w) {
    return total + std::abs(static_cast<double>(w));
  });
  const auto mean = static_cast<float>(sum / static_cast<double>(weights.size()));
  return mean > 0.0F ? mean : 1.0F;
}

float scale_of(std::span<const float> weights, const WeightFormat& format) {
  if (format.bits == 1) return mean_magnitude(weights);
  return symmetric_scale(choose_weight_limit(weights, format.bits, format.ranges), format.bits);
}

std::int64_t weight_integer(float w, float scale, int bits) {
  if (bits == 1) return w < 0.0F ? -1 : 1;
  const auto p = static_cast<double>(largest_magnitude(bits, true));
  const double q = std::nearbyint(static_cast<double>(w) / static_cast<double>(scale));
  return static_cast<std::int64_t>(std::clamp(q, -p, p));
}

/// Least scale of channel n at which its bias fits 31 bits.
float least_scale(const Tensor* bias, std::size_t n, float input_scale) {
  if (bias == nullptr) return 0.0F;
  constexpr double kBiasLimit = 1073741824.0;  // 2^30
  const double magnitude = std::abs(static_cast<double>(bias->data->as<float>()[n]));
  return static_cast<float>(magnitude / (static_cast<double>(input_scale) * kBiasLimit));
}

}  // namespace

Tensor quantize_weights(const Tensor& weights, const Tensor* bias, float input_scale,
                        const WeightFormat& format) {
  const std::span<const float> w = weights.data->as<float>();
  const auto channels = static_cast<std::size_t>(weights.shape[0]);
  const std::size_t depth = w.size() / channels;
  Quantization q;
  q.bits = format.bits;
  q.axis = format.per_channel ? 0 : -1;
  q.scales.clear();
  for (std::size_t n = 0; n < (format.per_channel ? channels : 1); ++n) {
    q.scales.push_back(scale_of(format.per_channel ? w.subspan(n * depth, depth) : w, format));
  }
  for (std::size_t n = 0; n < channels; ++n) {
    float& scale = q.scales[format.per_channel ? n : 0];
    scale = std::max(scale, least_scale(bias, n, input_scale));
  }
  q.zero_points.assign(q.scales.size(), 0);
  Tensor result = weights;
  result.type = smallest_element_type(format.bits, true);
  TensorData data(result.type, weights.shape);
  for (std::size_t i = 0; i < w.size(); ++i) {
    const float scale = q.scale(static_cast<std::int64_t>(i / depth));
    data.set(static_cast<std::int64_t>(i), weight_integer(w[i], scale, format.bits));
  }
  result.data = std::move(data);
  result.quantization = std::move(q);
  return result;
}

Tensor quantize_bias(const Tensor& bias, float input_scale, const Quantization& weights, ElementType type) {
  const bool wide = type == ElementType::i64;
  // The limits of int64 are no doubles: the nearest ones inside are 2^63 - 2^10 and -2^63.
  const double max = wide ? 9223372036854774784.0 : 2147483647.0;
  const double min = wide ? -9223372036854775808.0 : -2147483648.0;
  Tensor result = bias;
  result.type = type;
  Quantization q;
  q.bits = wide ? 64 : 32;
  q.scales.clear();
  for (const float scale : weights.scales) q.scales.push_back(input_scale * scale);
  q.zero_points.assign(q.scales.size(), 0);
  q.axis = q.scales.size() > 1 ? 0 : -1;
  TensorData data(type, bias.shape);
  for (std::int64_t n = 0; n < data.size(); ++n) {
    const double scale = static_cast<double>(input_scale) * static_cast<double>(weights.scale(n));
    const double value = static_cast<double>(bias.data->as<float>()[static_cast<std::size_t>(n)]) / scale;
    data.set(n, static_cast<std::int64_t>(std::clamp(std::nearbyint(value), min, max)));
  }
  const bool valid = std::ranges::all_of(q.scales, [](float s) { return std::isfinite(s) && s > 0.0F; });
  if (valid && data.shape.size() == 1) result.quantization = std::move(q);
  result.data = std::move(data);
  return result;
}

Tensor quantize_constant(const Tensor& constant, const Quantization& grid) {
  Tensor result = constant;
  result.type = smallest_element_type(grid.bits, grid.is_signed);
  TensorData data(result.type, constant.shape);
  for (std::int64_t i = 0; i < data.size(); ++i) {
    data.set(i, quantize_value(constant.data->as<float>()[static_cast<std::size_t>(i)], grid));
  }
  result.data = std::move(data);
  result.quantization = grid;
  return result;
}

}  // namespace qsim
