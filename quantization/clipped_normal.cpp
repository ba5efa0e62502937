#include "quantization/clipped_normal.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace qsim {
namespace {

double density(double x) {
  return std::exp(-x * x / 2.0) / std::sqrt(2.0 * std::numbers::pi);
}

/// P(y <= x) and P(y > x), each without cancellation.
double below(double x) {
  return std::erfc(-x / std::numbers::sqrt2) / 2.0;
}
double above(double x) {
  return std::erfc(x / std::numbers::sqrt2) / 2.0;
}

/// x^n times a probability or density that vanishes where x is infinite.
double vanishing(double x, double factor) {
  return std::isfinite(x) ? x * factor : 0.0;
}

}  // namespace

Moments clipped_normal(double mu, double sigma, double low, double high) {
  if (!(sigma > 0.0)) return {std::clamp(mu, low, high), 0.0};
  const double a = (low - mu) / sigma;
  const double b = (high - mu) / sigma;
  const double inside = below(b) - below(a);
  const double slope = density(a) - density(b);
  const double mean = sigma * slope + mu * inside + vanishing(low, below(a)) + vanishing(high, above(b));
  const double square = (mu * mu + sigma * sigma) * inside + 2.0 * mu * sigma * slope +
                        sigma * sigma * (vanishing(a, density(a)) - vanishing(b, density(b))) +
                        vanishing(low * low, below(a)) + vanishing(high * high, above(b));
  return {mean, std::max(square - mean * mean, 0.0)};
}

Moments moments_behind(const std::function<double(double)>& f, double mu, double sigma) {
  if (!(sigma > 0.0)) return {f(mu), 0.0};
  constexpr int kIntervals = 512;
  constexpr double kReach = 8.0;
  double weights = 0.0;
  double mean = 0.0;
  double square = 0.0;
  for (int i = 0; i <= kIntervals; ++i) {
    const double x = kReach * (2.0 * i / kIntervals - 1.0);
    const double weight = density(x);
    const double y = f(mu + sigma * x);
    weights += weight;
    mean += weight * y;
    square += weight * y * y;
  }
  mean /= weights;
  return {mean, std::max(square / weights - mean * mean, 0.0)};
}

}  // namespace qsim
