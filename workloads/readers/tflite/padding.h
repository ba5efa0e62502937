// TFLite's SAME padding as explicit sizes.
#pragma once

#include <algorithm>
#include <cstdint>

namespace qsim::tflite {

struct PaddingSizes {
  std::int64_t before = 0, after = 0;
};

/// SAME: out = ceil(in / stride); total = max((out - 1) * stride + window - in, 0), the larger half after.
/// VALID: none. `window` = (kernel - 1) * dilation + 1.
[[nodiscard]] inline PaddingSizes padding_sizes(bool same, std::int64_t in, std::int64_t window,
                                                std::int64_t stride) {
  if (!same) return {};
  const std::int64_t out = (in + stride - 1) / stride;
  const std::int64_t total = std::max<std::int64_t>((out - 1) * stride + window - in, 0);
  return {total / 2, total - total / 2};
}

}  // namespace qsim::tflite
