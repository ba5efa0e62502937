// Elements in another order of dimensions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "workloads/graph/tensor.h"

namespace qsim {

/// Strides in elements of a tensor in C order.
[[nodiscard]] std::vector<std::int64_t> row_major_strides(const Shape& shape);

/// Where the elements of a copy come from: element (i_0, i_1, ..) from element base + sum i_d * strides[d] of
/// the source. Strides may be 0 (elements repeat) and negative.
struct StridedSource {
  std::span<const std::byte> bytes;
  std::vector<std::int64_t> strides;  ///< In elements, one a dimension of the copy.
  std::int64_t base = 0;
};

/// Fills `out`, a tensor of `shape` in C order whose elements have 1, 2, 4 or 8 bytes. The source holds every
/// element that is asked for. Dimensions that lie behind each other in both are moved as one, and
/// transpositions block by block, so that both sides stay in the cache.
void copy_strided(std::span<std::byte> out, const Shape& shape, std::size_t element_bytes,
                  const StridedSource& source);

}  // namespace qsim
