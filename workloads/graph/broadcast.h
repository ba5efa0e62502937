// Walking through operands that numpy's broadcasting repeats.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "workloads/graph/tensor.h"

namespace qsim {

/// Element strides of an operand seen at the output's shape: 0 along repeated dimensions.
[[nodiscard]] inline std::vector<std::int64_t> broadcast_strides(const Shape& operand, const Shape& output) {
  std::vector<std::int64_t> strides(output.size(), 0);
  std::int64_t stride = 1;
  for (std::size_t i = 1; i <= operand.size(); ++i) {
    const std::int64_t dimension = operand[operand.size() - i];
    if (dimension > 1) strides[output.size() - i] = stride;
    stride *= dimension;
  }
  return strides;
}

/// Offsets of the two operands for each run of the last dimension. `output` must outlive the cursor.
class BroadcastCursor {
 public:
  BroadcastCursor(const Shape& a, const Shape& b, const Shape& output)
      : shape_(output),
        strides_{broadcast_strides(a, output), broadcast_strides(b, output)},
        index_(output.size(), 0) {}
  [[nodiscard]] std::int64_t offset(std::size_t operand) const { return offsets_[operand]; }
  [[nodiscard]] std::int64_t last_stride(std::size_t operand) const {
    return shape_.empty() ? 0 : strides_[operand].back();
  }
  void next_run() {
    for (std::size_t d = shape_.size() < 2 ? 0 : shape_.size() - 1; d-- > 0;) {
      offsets_[0] += strides_[0][d];
      offsets_[1] += strides_[1][d];
      if (++index_[d] < shape_[d]) return;
      index_[d] = 0;
      offsets_[0] -= strides_[0][d] * shape_[d];
      offsets_[1] -= strides_[1][d] * shape_[d];
    }
  }

 private:
  const Shape& shape_;
  std::array<std::vector<std::int64_t>, 2> strides_;
  std::vector<std::int64_t> index_;
  std::array<std::int64_t, 2> offsets_{};
};

}  // namespace qsim
