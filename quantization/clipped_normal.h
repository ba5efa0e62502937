// A normal variable behind a function of one element: white paper, section 3.3.
#pragma once

#include <functional>

namespace qsim {

struct Moments {
  double mean = 0.0, variance = 0.0;
};

/// Of x = min(max(y, low), high) with y normal, of mean mu and deviation sigma >= 0; with a = (low - mu) /
/// sigma, b = (high - mu) / sigma, phi and Phi the standard normal's density and distribution:
///
///   E[x]   = sigma (phi(a) - phi(b)) + mu (Phi(b) - Phi(a)) + low Phi(a) + high (1 - Phi(b))
///   E[x^2] = (mu^2 + sigma^2) (Phi(b) - Phi(a)) + 2 mu sigma (phi(a) - phi(b))
///            + sigma^2 (a phi(a) - b phi(b)) + low^2 Phi(a) + high^2 (1 - Phi(b))
///
/// ReLU is low = 0 and an infinite high, ReLU6 0 and 6, no activation both infinite.
[[nodiscard]] Moments clipped_normal(double mu, double sigma, double low, double high);

/// Of f(y): by the trapezoidal rule over mu +- 8 sigma, 512 intervals.
[[nodiscard]] Moments moments_behind(const std::function<double(double)>& f, double mu, double sigma);

}  // namespace qsim
