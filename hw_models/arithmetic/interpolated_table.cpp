#include "hw_models/arithmetic/interpolated_table.h"

#include <algorithm>
#include <cmath>

namespace qsim::arithmetic {

// Sample i is f(x_i) lowered by half the error that linear interpolation makes in the middle of interval i:
//   s_i = r(f(x_i) 2^15);  middle = r((f(x_i+1) 2^15 + s_i) / 2);  s_i - r((middle - r(f(x_i + h/2) 2^15)) /
//   2)
// with r rounding half away from zero; limited to int16.
InterpolatedTable::InterpolatedTable(double (*function)(double), double from, double to) {
  constexpr double kScale = 32768.0;
  const auto limited = [](double x) { return static_cast<std::int16_t>(std::clamp(x, -32768.0, 32767.0)); };
  const double step = (to - from) / kIntervals;
  for (int i = 0; i < kIntervals; ++i) {
    const double sample = std::round(function(from + i * step) * kScale);
    const double next = function(from + (i + 1) * step) * kScale;
    const double middle = std::round(function(from + i * step + step / 2.0) * kScale);
    const double error = std::round((next + sample) / 2.0) - middle;
    samples_[static_cast<std::size_t>(i)] = limited(sample - std::round(error / 2.0));
  }
  samples_[kIntervals] = limited(std::round(function(to) * kScale));
}

std::int32_t InterpolatedTable::at(std::int64_t argument) const {
  const auto x = static_cast<std::int32_t>(std::clamp<std::int64_t>(argument, -32768, 32767));
  const auto index = static_cast<std::size_t>(256 + (x >> 7));
  const std::int32_t base = samples_[index];
  const std::int32_t slope = samples_[index + 1] - base;
  return base + ((slope * (x & 0x7F) + 64) >> 7);
}

}  // namespace qsim::arithmetic
