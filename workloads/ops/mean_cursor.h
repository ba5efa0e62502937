// Walking through the input of a mean.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "workloads/graph/graph.h"

namespace qsim {

/// Index of the output element that each input element of a mean adds to.
class MeanCursor {
 public:
  MeanCursor(const MeanOp& op, const Shape& input)
      : shape_(input), strides_(input.size(), 0), index_(input.size(), 0) {
    std::int64_t stride = 1;
    for (std::size_t d = input.size(); d-- > 0;) {
      if (std::binary_search(op.axes.begin(), op.axes.end(), static_cast<int>(d))) continue;
      strides_[d] = stride;
      stride *= input[d];
    }
  }
  [[nodiscard]] std::size_t offset() const { return static_cast<std::size_t>(offset_); }
  /// Position along input dimension `d`.
  [[nodiscard]] std::int64_t index(std::size_t d) const { return index_[d]; }
  void next() {
    for (std::size_t d = shape_.size(); d-- > 0;) {
      offset_ += strides_[d];
      if (++index_[d] < shape_[d]) return;
      index_[d] = 0;
      offset_ -= strides_[d] * shape_[d];
    }
  }

 private:
  const Shape& shape_;
  std::vector<std::int64_t> strides_, index_;
  std::int64_t offset_ = 0;
};

}  // namespace qsim
