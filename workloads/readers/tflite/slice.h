// The indices that STRIDED_SLICE's begin, end, strides and masks stand for.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "workloads/graph/graph.h"

namespace qsim::tflite {

struct SliceMasks {
  std::uint32_t begin = 0, end = 0, ellipsis = 0, new_axis = 0, shrink_axis = 0;
};

/// Operands as the file has them, one entry a position of the specification.
struct SliceSpec {
  std::vector<std::int64_t> begin, end, stride;
  SliceMasks masks;
};

/// What each dimension of the input contributes, and the output's shape.
struct ResolvedSlice {
  StridedSliceOp op;
  Shape output_shape;
  std::string problem;  ///< Not empty: what is wrong with the specification.
};

/// Follows numpy: a mask bit i belongs to position i of the specification; an ellipsis stands for the
/// dimensions that no other position takes; a new axis adds a dimension of 1; a shrunk one is left out.
[[nodiscard]] ResolvedSlice resolve_slice(const Shape& input, const SliceSpec& spec);

}  // namespace qsim::tflite
