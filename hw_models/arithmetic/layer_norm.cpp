// LayerNormalization of ONNX Runtime 1.30 on x86-64 with AVX2, bit for bit. Rows of fewer than 8 elements
// take its scalar path, longer ones its vector kernel; the two round differently.
#include "hw_models/arithmetic/layer_norm.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <vector>

#include "hw_models/arithmetic/limited.h"

namespace qsim::arithmetic {
namespace {

constexpr std::size_t kLanes = 8;

struct Moments {
  float mean = 0.0F;
  float deviation = 1.0F;  ///< sqrt(variance + epsilon)
};

float deviation_of(float sum_of_squares, std::size_t size, float epsilon) {
  return std::sqrt(sum_of_squares / static_cast<float>(size) + epsilon);
}

/// Welford: d = x - m;  m += d / i;  M2 += d * (x - m);  variance = M2 / n.
Moments scalar_moments(std::span<const float> x, float epsilon) {
  Moments moments;
  float sum = 0.0F;
  float count = 0.0F;
  for (const float value : x) {
    count += 1.0F;
    const float difference = value - moments.mean;
    moments.mean += difference / count;
    sum += difference * (value - moments.mean);
  }
  moments.deviation = deviation_of(sum, x.size(), epsilon);
  return moments;
}

/// mean = sum / n in double, rounded once. The squares of x - mean are summed in 8 lanes with fused
/// multiply-adds, the lanes as ((0+4) + (2+6)) + ((1+5) + (3+7)); of the elements left over groups of four
/// are squared, then added one by one, the last up to three by fused multiply-adds.
Moments vector_moments(std::span<const float> x, float epsilon) {
  Moments moments;
  double sum = 0.0;
  for (const float value : x) sum += static_cast<double>(value);
  moments.mean = static_cast<float>(sum / static_cast<double>(x.size()));
  std::array<float, kLanes> lanes{};
  const std::size_t whole = x.size() / kLanes * kLanes;
  for (std::size_t i = 0; i < whole; ++i) {
    const float c = x[i] - moments.mean;
    lanes[i % kLanes] = std::fma(c, c, lanes[i % kLanes]);
  }
  float squares =
      ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
  const std::size_t unfused = whole + (x.size() - whole) / 4 * 4;
  for (std::size_t i = whole; i < x.size(); ++i) {
    const float c = x[i] - moments.mean;
    squares = i < unfused ? squares + c * c : std::fma(c, c, squares);
  }
  moments.deviation = deviation_of(squares, x.size(), epsilon);
  return moments;
}

float as_float(std::int64_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits));
}

}  // namespace

/// x = (q - zx) * sx.  n < 8: y = ((x - mean) / deviation) * gamma + beta, each step rounded; n >= 8:
/// y = fma((x - mean) * (1 / deviation), gamma, beta).  q = rne(y / sy) + zy, limited. All in float32.
void evaluate_row(const OnnxLayerNormFunction& function, std::span<const std::int64_t> in,
                  std::span<std::int64_t> out, const RowParameters& parameters) {
  std::vector<float> x(in.size());
  for (std::size_t i = 0; i < in.size(); ++i) {
    x[i] = static_cast<float>(in[i] - function.input_zero_point) * function.input_scale;
  }
  const bool vector = in.size() >= kLanes;
  const Moments moments = vector ? vector_moments(x, function.epsilon) : scalar_moments(x, function.epsilon);
  const float inverse = 1.0F / moments.deviation;
  const auto low = static_cast<float>(function.output.min() - function.output_zero_point);
  const auto high = static_cast<float>(function.output.max() - function.output_zero_point);
  for (std::size_t i = 0; i < in.size(); ++i) {
    const float centered = x[i] - moments.mean;
    const float gamma = parameters.gamma.empty() ? 1.0F : as_float(parameters.gamma[i]);
    const float beta = parameters.beta.empty() ? 0.0F : as_float(parameters.beta[i]);
    const float unit = vector ? centered * inverse : centered / moments.deviation;
    const float y = vector ? std::fma(unit, gamma, beta) : unit * gamma + beta;
    const float q = limited(y / function.output_scale, low, high);
    out[i] = static_cast<std::int64_t>(std::nearbyint(q)) + function.output_zero_point;
  }
}

}  // namespace qsim::arithmetic
