// A function of 16 bits as 513 samples with linear interpolation, as TFLite's int16 kernels hold it.
#pragma once

#include <array>
#include <cstdint>
#include <functional>

namespace qsim::arithmetic {

/// Samples of a function over [from, to]; the argument -32768..32767 spans that range.
class InterpolatedTable {
 public:
  /// In Q0.15, computed in double.
  InterpolatedTable(double (*function)(double), double from, double to);
  /// Times `scale`, computed in float32.
  InterpolatedTable(const std::function<float(float)>& function, float from, float to, float scale);

  /// The argument saturates to 16 bits. base + ((slope * offset + 64) >> 7), 128 arguments an interval.
  [[nodiscard]] std::int32_t at(std::int64_t argument) const;

 private:
  template <typename Real, typename Function>
  void sample(const Function& function, Real from, Real to, Real scale);

  static constexpr int kIntervals = 512;
  std::array<std::int16_t, kIntervals + 1> samples_{};
};

}  // namespace qsim::arithmetic
