#include "hw_models/arithmetic/onnx_float_functions.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>

namespace qsim::arithmetic {
namespace {

/// Horner's rule with one rounding a step: ((c0 x + c1) x + c2) x + ...
template <std::size_t N>
float polynomial(float x, const std::array<float, N>& coefficients) {
  float y = coefficients[0];
  for (std::size_t i = 1; i < N; ++i) y = std::fma(y, x, coefficients[i]);
  return y;
}

/// exp(x) for x <= 0 as the error function needs it: x = r ln 2 + f with r rounded by adding 1.5 * 2^23 and
/// ln 2 in two parts, then a polynomial in f times 2^r.
float exp_of_negative(float x) {
  constexpr float kRound = 12582912.0F;
  x = std::max(x, -88.3762626647949F);
  const float r = std::fma(1.44269504088896341F, x, kRound) - kRound;
  const float f = std::fma(r, -1.42860677e-6F, std::fma(r, -6.93145752e-1F, x));
  const float y = polynomial<7>(
      f, {1.38319808e-3F, 8.37550033e-3F, 4.16689515e-2F, 1.66664466e-1F, 4.99999851e-1F, 1.0F, 1.0F});
  return y * std::bit_cast<float>((static_cast<std::int32_t>(r) + 127) << 23);
}

}  // namespace

// x p(x^2) / q(x^2) + 1/2 with x limited to [-18, 18], not below 0.
float onnx_logistic(float x) {
  const float v = std::clamp(x, -18.0F, 18.0F);
  const float square = v * v;
  const float p =
      v * polynomial<5>(square, {4.37031012579801e-11F, 1.15627324459942e-07F, 6.08574864600143e-05F,
                                 8.51377133304701e-03F, 2.48287947061529e-01F});
  const float q =
      polynomial<6>(square, {6.10247389755681e-13F, 5.76102136993427e-09F, 6.29106785017040e-06F,
                             1.70198817374094e-03F, 1.16817656904453e-01F, 9.93151921023180e-01F});
  return std::max(p / q + 0.5F, 0.0F);
}

// x p(x^2) / q(x^2) with x limited to [-9, 9].
float onnx_tanh(float x) {
  const float v = std::clamp(x, -9.0F, 9.0F);
  const float square = v * v;
  const float p =
      v * polynomial<7>(square, {-2.76076847742355e-16F, 2.00018790482477e-13F, -8.60467152213735e-11F,
                                 5.12229709037114e-08F, 1.48572235717979e-05F, 6.37261928875436e-04F,
                                 4.89352455891786e-03F});
  const float q = polynomial<4>(
      square, {1.19825839466702e-06F, 1.18534705686654e-04F, 2.26843463243900e-03F, 4.89352518554385e-03F});
  return p / q;
}

// a = min(|x|, 3.925); a <= 0.921875: a p(a^2) + a; above: 1 - exp(-(a q(a) + a)); the sign is x's.
float onnx_erf(float x) {
  const float a = std::min(std::fabs(x), 3.925F);
  float y = 0.0F;
  if (a > 0.921875F) {
    const float q = polynomial<7>(a, {1.72948930e-5F, -3.83208680e-4F, 3.88393435e-3F, -2.42545605e-2F,
                                      1.06777847e-1F, 6.34846687e-1F, 1.28717512e-1F});
    y = 1.0F - exp_of_negative(-std::fma(q, a, a));
  } else {
    const float p = polynomial<6>(a * a, {-5.99104969e-4F, 4.99339588e-3F, -2.67667342e-2F, 1.12818025e-1F,
                                          -3.76124859e-1F, 1.28379151e-1F});
    y = std::fma(p, a, a);
  }
  return std::copysign(y, x);
}

float onnx_gelu(float x) {
  const float e = onnx_erf(x * 0.707106781186547524401F);
  return 0.5F * x * (e + 1.0F);
}

// t = tanh(x (c x x + b)), b = sqrt(2/pi), c = 0.044715 b;  0.5 x (t + 1).
float onnx_gelu_tanh(float x) {
  const float t = onnx_tanh(x * (0.035677408136300125F * x * x + 0.7978845608028654F));
  return 0.5F * x * (t + 1.0F);
}

float onnx_hard_sigmoid(float x, float alpha, float beta) {
  return std::max(std::min(alpha * x + beta, 1.0F), 0.0F);
}

}  // namespace qsim::arithmetic
