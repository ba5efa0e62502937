#include "hw_models/arithmetic/interpolated_table.h"

#include <algorithm>
#include <cmath>

namespace qsim::arithmetic {

// Sample i is f(x_i) lowered by half the error that linear interpolation makes in the middle of interval i:
//   s_i = r(S f(x_i));  middle = r((S f(x_i+1) + s_i) / 2);  s_i - r((middle - r(S f(x_i + h/2))) / 2)
// with r rounding half away from zero; limited to int16.
template <typename Real, typename Function>
void InterpolatedTable::sample(const Function& function, Real from, Real to, Real scale) {
  constexpr Real kTwo = 2;
  const auto limited = [](Real x) {
    return static_cast<std::int16_t>(std::clamp<Real>(x, Real{-32768}, Real{32767}));
  };
  const Real step = (to - from) / static_cast<Real>(kIntervals);
  for (int i = 0; i < kIntervals; ++i) {
    const auto index = static_cast<Real>(i);
    const Real first = std::round(function(from + index * step) * scale);
    const Real next = function(from + (index + 1) * step) * scale;
    const Real middle = std::round(function(from + index * step + step / kTwo) * scale);
    const Real error = std::round((next + first) / kTwo) - middle;
    samples_[static_cast<std::size_t>(i)] = limited(first - std::round(error / kTwo));
  }
  samples_[kIntervals] = limited(std::round(function(to) * scale));
}

InterpolatedTable::InterpolatedTable(double (*function)(double), double from, double to) {
  sample(function, from, to, 32768.0);
}

InterpolatedTable::InterpolatedTable(const std::function<float(float)>& function, float from, float to,
                                     float scale) {
  sample(function, from, to, scale);
}

std::int32_t InterpolatedTable::at(std::int64_t argument) const {
  const auto x = static_cast<std::int32_t>(std::clamp<std::int64_t>(argument, -32768, 32767));
  const auto index = static_cast<std::size_t>(256 + (x >> 7));
  const std::int32_t base = samples_[index];
  const std::int32_t slope = samples_[index + 1] - base;
  return base + ((slope * (x & 0x7F) + 64) >> 7);
}

}  // namespace qsim::arithmetic
