#include "workloads/graph/requantize_tensor.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace qsim {
namespace {

/// Elements that follow each other with the same index along `axis`.
std::int64_t inner_count(const Shape& shape, int axis) {
  std::int64_t count = 1;
  for (std::size_t d = static_cast<std::size_t>(axis) + 1; d < shape.size(); ++d) count *= shape[d];
  return count;
}

}  // namespace

std::int64_t largest_magnitude(int bits, bool is_signed) {
  if (!is_signed) return (std::int64_t{1} << bits) - 1;
  return bits == 1 ? 1 : (std::int64_t{1} << (bits - 1)) - 1;
}

std::int64_t rescale_rne(std::int64_t value, std::int64_t numerator, std::int64_t denominator) {
  const std::int64_t product = value * numerator;
  std::int64_t quotient = product / denominator;
  std::int64_t remainder = product % denominator;
  if (remainder < 0) {  // Towards minus infinity, so that the rest is in [0, denominator).
    --quotient;
    remainder += denominator;
  }
  const bool up = 2 * remainder > denominator || (2 * remainder == denominator && quotient % 2 != 0);
  return quotient + (up ? 1 : 0);
}

Quantization at_width(const Quantization& q, int bits) {
  const std::int64_t p_old = largest_magnitude(q.bits, q.is_signed);
  const std::int64_t p_new = largest_magnitude(bits, q.is_signed);
  Quantization result = q;
  result.bits = bits;
  const arithmetic::IntegerFormat format = result.format();
  for (float& scale : result.scales) {
    scale = static_cast<float>(static_cast<double>(scale) * static_cast<double>(p_old) /
                               static_cast<double>(p_new));
  }
  for (std::int32_t& zero_point : result.zero_points) {
    zero_point = static_cast<std::int32_t>(
        std::clamp(rescale_rne(zero_point, p_new, p_old), format.min(), format.max()));
  }
  return result;
}

void requantize_constant(Tensor& tensor, int bits) {
  const Quantization old = *tensor.quantization;
  const Quantization q = at_width(old, bits);
  const std::int64_t p_old = largest_magnitude(old.bits, old.is_signed);
  const std::int64_t p_new = largest_magnitude(bits, q.is_signed);
  const arithmetic::IntegerFormat format = q.format();
  tensor.quantization = q;
  tensor.type = smallest_element_type(bits, q.is_signed);
  TensorData data(tensor.type, tensor.shape);
  for (std::int64_t i = 0; i < data.size(); ++i) {
    data.set(i, std::clamp(rescale_rne(tensor.data->at(i), p_new, p_old), format.min(), format.max()));
  }
  tensor.data = std::move(data);
}

void binarize_weights(Tensor& weights) {
  Quantization& q = *weights.quantization;
  const std::int64_t slices = q.axis < 0 ? 1 : weights.shape[static_cast<std::size_t>(q.axis)];
  const std::int64_t inner = q.axis < 0 ? element_count(weights.shape) : inner_count(weights.shape, q.axis);
  std::vector<std::int64_t> magnitudes(static_cast<std::size_t>(slices), 0);
  TensorData data(ElementType::i8, weights.shape);
  for (std::int64_t i = 0; i < data.size(); ++i) {
    const std::int64_t slice = (i / inner) % slices;
    const std::int64_t group = q.has_groups() ? i / q.group_size : 0;
    const std::int64_t centered =
        weights.data->at(i) - (q.has_groups() ? q.group_zero_point(group) : q.zero_point(slice));
    magnitudes[static_cast<std::size_t>(slice)] +=
        std::abs(centered) * (q.has_groups() ? q.group_multiplier(group) : 1);
    data.set(i, centered < 0 ? -1 : 1);
  }
  const std::int64_t slice_elements = data.size() / slices;
  const auto elements_a_slice = static_cast<double>(slice_elements);
  std::vector<float> scales;
  for (std::int64_t slice = 0; slice < slices; ++slice) {
    const double mean = static_cast<double>(magnitudes[static_cast<std::size_t>(slice)]) / elements_a_slice;
    // A slice of zeros alone has no magnitude; a scale stays positive.
    const auto scale = static_cast<float>(static_cast<double>(q.scale(slice)) * mean);
    scales.push_back(scale > 0.0F ? scale : std::numeric_limits<float>::min());
  }
  q.bits = 1;
  q.is_signed = true;
  q.scales = std::move(scales);
  q.zero_points.assign(q.scales.size(), 0);
  q.group_size = 0;  // One bit has one magnitude a channel.
  q.group_multipliers.clear();
  weights.type = ElementType::i8;
  weights.data = std::move(data);
}

void rescale_bias(Tensor& bias, const std::vector<double>& ratios) {
  const bool wide = bias.type == ElementType::i64;
  // The limits of int64 are no doubles: the nearest ones inside are 2^63 - 2^10 and -2^63.
  const double max = wide ? 9223372036854774784.0 : 2147483647.0;
  const double min = wide ? -9223372036854775808.0 : -2147483648.0;
  for (std::int64_t n = 0; n < bias.data->size(); ++n) {
    const double ratio = ratios[ratios.size() == 1 ? 0 : static_cast<std::size_t>(n)];
    const double value = static_cast<double>(bias.data->at(n)) * ratio;
    bias.data->set(n, static_cast<std::int64_t>(std::clamp(std::nearbyint(value), min, max)));
  }
  if (!bias.quantization) return;
  std::vector<float>& scales = bias.quantization->scales;
  if (scales.size() == 1 && ratios.size() > 1) {
    scales.assign(ratios.size(), scales[0]);
    bias.quantization->zero_points.assign(ratios.size(), 0);
    bias.quantization->axis = 0;
  }
  for (std::size_t n = 0; n < scales.size(); ++n) {
    scales[n] = static_cast<float>(static_cast<double>(scales[n]) / ratios[ratios.size() == 1 ? 0 : n]);
  }
}

}  // namespace qsim
