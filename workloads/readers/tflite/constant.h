// Integers on shapes that are known when reading.
#pragma once

#include <cstdint>
#include <vector>

#include "workloads/graph/tensor.h"

namespace qsim::tflite {

/// Longest list of indices that is followed; shapes have at most 8 entries.
inline constexpr std::int64_t kMaxIndices = 64;

/// Integers of a shape operand that are known when reading.
struct IndexConstant {
  Shape shape;
  std::vector<std::int64_t> values;
};

}  // namespace qsim::tflite
