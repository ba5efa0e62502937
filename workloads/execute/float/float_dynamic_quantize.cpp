// Quantization of a tensor by its own range (DynamicQuantizeOp's comment), in float32 as ONNX Runtime
// computes it: each step rounded once, quotients divided rather than multiplied by a reciprocal.
#include <algorithm>
#include <cmath>

#include "workloads/execute/float/float_nodes.h"

namespace qsim {
namespace {

constexpr float kLargest = 255.0F;

struct DynamicRange {
  float scale = 1.0F;
  float zero_point = 0.0F;
};

/// A NaN becomes 0.
float saturated(float x) {
  return x > 0.0F ? std::min(x, kLargest) : 0.0F;
}

/// The range has 0 in it. Of zeros alone the scale is 1.
DynamicRange range_of(std::span<const float> x) {
  float low = 0.0F;
  float high = 0.0F;
  for (const float value : x) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  if (low == high) return {};
  const float scale = (high - low) / kLargest;
  return {scale, std::nearbyint(saturated(-low / scale))};
}

float quantized(float x, const DynamicRange& range) {
  return saturated(std::nearbyint(x / range.scale) + range.zero_point);
}

}  // namespace

void run_dynamic_quantize(const FloatRun& run, const DynamicQuantizeOp& op) {
  const std::span<const float> x = run.input();
  const DynamicRange range = range_of(x);
  switch (op.result) {
    case DynamicResult::scale:
      run.result().front() = range.scale;
      return;
    case DynamicResult::zero_point:
      run.output.as<std::uint8_t>().front() = static_cast<std::uint8_t>(range.zero_point);
      return;
    case DynamicResult::values:
      std::ranges::transform(x, run.output.as<std::uint8_t>().begin(),
                             [&](float value) { return static_cast<std::uint8_t>(quantized(value, range)); });
      return;
    case DynamicResult::differences:
      std::ranges::transform(x, run.output.as<std::int16_t>().begin(), [&](float value) {
        return static_cast<std::int16_t>(quantized(value, range) - range.zero_point);
      });
      return;
  }
}

}  // namespace qsim
