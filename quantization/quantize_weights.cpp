#include "quantization/quantize_weights.h"

#include <algorithm>
#include <cmath>

#include "quantization/weight_grid.h"
#include "workloads/graph/quantize_value.h"

namespace qsim {
namespace {

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
  const WeightScheme& scheme = format.scheme;
  const bool per_channel = scheme.granularity == Granularity::per_channel;
  const auto channels = static_cast<std::size_t>(weights.shape[0]);
  const std::size_t depth = w.size() / channels;
  std::vector<WeightGrid> grids;
  for (std::size_t n = 0; n < (per_channel ? channels : 1); ++n) {
    grids.push_back(choose_weight_grid(per_channel ? w.subspan(n * depth, depth) : w, scheme.bits,
                                       scheme.is_symmetric, format.ranges, format.is_power_of_two));
  }
  for (std::size_t n = 0; n < channels; ++n) {
    WeightGrid& grid = grids[per_channel ? n : 0];
    grid = with_least_scale(grid, least_scale(bias, n, input_scale), format.is_power_of_two);
  }
  Quantization q;
  q.bits = scheme.bits;
  q.is_signed = weights_are_signed(scheme.bits, scheme.is_symmetric);
  q.axis = per_channel ? 0 : -1;
  q.scales.clear();
  q.zero_points.clear();
  for (const WeightGrid& grid : grids) {
    q.scales.push_back(grid.scale);
    q.zero_points.push_back(grid.zero_point);
  }
  Tensor result = weights;
  result.type = smallest_element_type(q.bits, q.is_signed);
  TensorData data(result.type, weights.shape);
  for (std::size_t i = 0; i < w.size(); ++i) {
    data.set(static_cast<std::int64_t>(i), grids[per_channel ? i / depth : 0].integer(w[i]));
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
