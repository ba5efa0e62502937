#include "quantization/quantize_weights.h"

#include <algorithm>
#include <cmath>

#include "quantization/weight_grid.h"
#include "quantization/weight_groups.h"
#include "workloads/graph/quantize_value.h"

namespace qsim {
namespace {

/// Bits of the multipliers that groups of weights are quantized for.
constexpr int kGroupMultiplierBits = 8;

/// Least scale of channel n at which its bias fits 31 bits.
float least_scale(const Tensor* bias, std::size_t n, float input_scale) {
  if (bias == nullptr) return 0.0F;
  constexpr double kBiasLimit = 1073741824.0;  // 2^30
  const double magnitude = std::abs(static_cast<double>(bias->data->as<float>()[n]));
  return static_cast<float>(magnitude / (static_cast<double>(input_scale) * kBiasLimit));
}

/// The grid of each slice of `weights` elements, one behind the other.
std::vector<WeightGrid> choose_grids(std::span<const float> w, std::size_t elements,
                                     const WeightFormat& format, std::span<const float> fractions) {
  std::vector<WeightGrid> grids;
  for (std::size_t begin = 0; begin < w.size(); begin += elements) {
    const float fraction = fractions.empty() ? 0.0F : fractions[begin / elements];
    grids.push_back(choose_weight_grid(w.subspan(begin, elements), format.scheme.bits,
                                       format.scheme.is_symmetric, format.ranges, format.is_power_of_two,
                                       fraction));
  }
  return grids;
}

/// Makes the scales of a channel's groups, of `elements` of its weights `w` each, multiples of one scale,
/// which it returns:
///   s = max(max_g s_g / m_max, least),  m_g = min(ceil(s_g / s), m_max),  s_g' = m_g s >= s_g but for
///   rounding
/// with m_max = 2^8 - 1, of powers of two 2^7 and s the power of two above. Nothing is clipped that was not.
/// Groups of zeros have m_g = 1 and no say in s.
float tie_groups(std::span<WeightGrid> grids, std::span<const float> w, float least, bool is_power_of_two,
                 std::vector<std::int32_t>& multipliers) {
  const int most = is_power_of_two ? 1 << (kGroupMultiplierBits - 1) : (1 << kGroupMultiplierBits) - 1;
  const std::size_t elements = w.size() / grids.size();
  std::vector<float> scales;
  for (std::size_t g = 0; g < grids.size(); ++g) {
    const bool is_zero =
        std::ranges::all_of(w.subspan(g * elements, elements), [](float v) { return v == 0.0F; });
    scales.push_back(is_zero ? 0.0F : grids[g].scale);
  }
  const float greatest = *std::ranges::max_element(scales);
  float scale = std::max(greatest > 0.0F ? greatest / static_cast<float>(most) : 1.0F, least);
  if (is_power_of_two) scale = power_of_two_above(scale);
  for (std::size_t g = 0; g < grids.size(); ++g) {
    const double exact = static_cast<double>(scales[g]) / static_cast<double>(scale);
    // A multiple to float32's rounding is that multiple.
    const auto m = static_cast<std::int32_t>(
        std::clamp(std::ceil(exact * (1.0 - 1e-6)), 1.0, static_cast<double>(most)));
    grids[g] = with_scale(grids[g], scale * static_cast<float>(m));
    multipliers.push_back(m);
  }
  return scale;
}

}  // namespace

std::size_t slice_elements(const Tensor& weights, const WeightScheme& scheme) {
  const auto all = static_cast<std::size_t>(weights.data->size());
  if (scheme.granularity == Granularity::per_tensor) return all;
  const std::int64_t group_size =
      scheme.granularity == Granularity::per_group ? group_size_of(weights.shape, scheme.group_size) : 0;
  return group_size > 0 ? static_cast<std::size_t>(group_size)
                        : all / static_cast<std::size_t>(weights.shape[0]);
}

Tensor quantize_weights(const Tensor& weights, const Tensor* bias, float input_scale,
                        const WeightFormat& format, std::span<const float> fractions) {
  const std::span<const float> w = weights.data->as<float>();
  const WeightScheme& scheme = format.scheme;
  const auto channels = static_cast<std::size_t>(weights.shape[0]);
  const std::size_t depth = w.size() / channels;
  const std::int64_t group_size =
      scheme.granularity == Granularity::per_group ? group_size_of(weights.shape, scheme.group_size) : 0;
  const bool has_groups = group_size > 0;
  const bool per_channel = scheme.granularity != Granularity::per_tensor;
  const std::size_t elements = slice_elements(weights, scheme);
  std::vector<WeightGrid> grids = choose_grids(w, elements, format, fractions);
  Quantization q;
  q.bits = scheme.bits;
  q.is_signed = weights_are_signed(scheme.bits, scheme.is_symmetric);
  q.axis = per_channel ? 0 : -1;
  q.scales.clear();
  q.zero_points.clear();
  for (std::size_t n = 0; n < channels; ++n) {
    const float least = least_scale(bias, n, input_scale);
    if (has_groups) {
      const std::span<WeightGrid> own = std::span(grids).subspan(n * depth / elements, depth / elements);
      q.scales.push_back(
          tie_groups(own, w.subspan(n * depth, depth), least, format.is_power_of_two, q.group_multipliers));
    } else {
      WeightGrid& grid = grids[per_channel ? n : 0];
      grid = with_least_scale(grid, least, format.is_power_of_two);
    }
  }
  q.group_size = group_size;
  for (const WeightGrid& grid : grids) {
    if (!has_groups) q.scales.push_back(grid.scale);
    q.zero_points.push_back(grid.zero_point);
  }
  if (has_groups && scheme.is_symmetric) q.zero_points = {0};
  Tensor result = weights;
  result.type = smallest_element_type(q.bits, q.is_signed);
  TensorData data(result.type, weights.shape);
  for (std::size_t i = 0; i < w.size(); ++i) {
    data.set(static_cast<std::int64_t>(i), grids[i / elements].integer(w[i]));
  }
  result.data = std::move(data);
  result.quantization = std::move(q);
  return result;
}

Tensor dequantized_weights(const Tensor& weights) {
  const Quantization& q = *weights.quantization;
  const std::int64_t depth = weights.data->size() / weights.shape[0];
  Tensor result = weights;
  result.type = ElementType::f32;
  result.quantization.reset();
  TensorData data(ElementType::f32, weights.shape);
  const auto values = data.as<float>();
  for (std::int64_t i = 0; i < weights.data->size(); ++i) {
    const std::int64_t channel = i / depth;
    const std::int64_t group = q.has_groups() ? i / q.group_size : 0;
    const std::int32_t zero_point = q.has_groups() ? q.group_zero_point(group) : q.zero_point(channel);
    const std::int32_t multiplier = q.has_groups() ? q.group_multiplier(group) : 1;
    values[static_cast<std::size_t>(i)] =
        q.scale(channel) * static_cast<float>(multiplier * (weights.data->at(i) - zero_point));
  }
  result.data = std::move(data);
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
