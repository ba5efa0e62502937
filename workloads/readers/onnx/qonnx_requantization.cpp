#include "workloads/readers/onnx/qonnx_requantization.h"

#include <algorithm>
#include <cmath>

namespace qsim::onnx_format {
namespace {

/// 2^-22: a quotient of products of float32 numbers.
constexpr double kFloatRounding = 4.0 / (1 << 24);

double at(const SumScales& scales, std::int64_t n) {
  return scales[scales.size() == 1 ? 0 : static_cast<std::size_t>(n)];
}

bool is_near(double value, double whole) {
  return std::abs(value - whole) <= kFloatRounding * std::max(1.0, std::abs(whole));
}

/// A multiple of 2^-bits where the value is one but for the rounding of its factors.
double on_grid(double value, int bits) {
  const double whole = std::nearbyint(std::ldexp(value, bits));
  return is_near(std::ldexp(value, bits), whole) ? std::ldexp(whole, -bits) : value;
}

/// The quantizer's limits and those of the chain.
void set_limits(const AffineChain& chain, const QonnxQuantizer& quantizer, Requantization& result) {
  const auto divisor = static_cast<double>(quantizer.divisor);
  const auto limited = [&](double real) {
    const double v = std::clamp(real / divisor + quantizer.shift, static_cast<double>(quantizer.low),
                                static_cast<double>(quantizer.high));
    return static_cast<std::int32_t>(arithmetic::round_by(quantizer.rounding, v));
  };
  result.rounding = quantizer.rounding;
  result.low = limited(chain.low());
  result.high = limited(chain.high());
}

}  // namespace

Requantization affine_requantization(const AffineChain& chain, const SumScales& scales,
                                     const QonnxQuantizer& quantizer) {
  Requantization result;
  const auto divisor = static_cast<double>(quantizer.divisor);
  const bool is_one = chain.is_uniform() && scales.size() == 1;
  const std::int64_t count = is_one ? 1 : chain.channels();
  for (std::int64_t n = 0; n < count; ++n) {
    double multiplier = at(scales, n) * chain.factor(n) / divisor;
    if (quantizer.truncated_bits >= 0) multiplier = on_grid(multiplier, quantizer.truncated_bits);
    result.multipliers.push_back(multiplier);
    result.offsets.push_back(chain.summand(n) / divisor + quantizer.shift);
  }
  set_limits(chain, quantizer, result);
  return result;
}

std::optional<Requantization> limits_of(const AffineChain& chain, const QonnxQuantizer& quantizer) {
  Requantization result;
  set_limits(chain, quantizer, result);
  const arithmetic::IntegerFormat format{quantizer.bits, quantizer.is_signed};
  if (result.low == format.min() && result.high == format.max()) return std::nullopt;
  return result;
}

bool has_no_factor(const AffineChain& chain) {
  for (std::int64_t n = 0; n < chain.channels(); ++n) {
    if (chain.factor(n) != 1.0) return false;
  }
  return true;
}

std::optional<std::vector<std::int32_t>> integer_bias(const AffineChain& chain, const SumScales& scales) {
  if (!has_no_factor(chain)) return std::nullopt;
  std::vector<std::int32_t> bias;
  for (std::int64_t n = 0; n < chain.channels(); ++n) {
    const double quotient = chain.summand(n) / at(scales, n);
    const double whole = std::nearbyint(quotient);
    if (!is_near(quotient, whole) || std::abs(whole) > 2147483647.0) return std::nullopt;
    bias.push_back(static_cast<std::int32_t>(whole));
  }
  return bias;
}

}  // namespace qsim::onnx_format
