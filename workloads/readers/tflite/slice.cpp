#include "workloads/readers/tflite/slice.h"

#include <algorithm>

namespace qsim::tflite {
namespace {

bool has(std::uint32_t mask, std::size_t bit) {
  return ((mask >> bit) & 1U) != 0;
}

void take_whole_dimension(std::int64_t size, ResolvedSlice& slice) {
  slice.op.begin.push_back(0);
  slice.op.stride.push_back(1);
  slice.op.count.push_back(size);
  slice.output_shape.push_back(size);
}

/// Dimension of `size` elements by position `i` of the specification.
/// Negative indices count from the end; then begin and end are limited to [0, size] (stride > 0) or
/// [-1, size - 1] (stride < 0); count = ceil((end - begin) / stride).
void take_position(std::int64_t size, const SliceSpec& spec, std::size_t i, ResolvedSlice& slice) {
  const std::int64_t stride = spec.stride[i];
  if (stride == 0 || std::abs(stride) > INT32_MAX) {
    slice.problem = "stride " + std::to_string(stride);
    return;
  }
  const std::int64_t low = stride > 0 ? 0 : -1;
  const std::int64_t high = stride > 0 ? size : size - 1;
  const auto absolute = [&](std::int64_t index) {
    return std::clamp(index < 0 ? index + size : index, low, high);
  };
  std::int64_t begin = has(spec.masks.begin, i) ? (stride > 0 ? low : high) : absolute(spec.begin[i]);
  std::int64_t end = has(spec.masks.end, i) ? (stride > 0 ? high : low) : absolute(spec.end[i]);
  if (has(spec.masks.shrink_axis, i)) {
    begin = std::clamp<std::int64_t>(begin, 0, size - 1);
    end = begin + (stride > 0 ? 1 : -1);
  }
  const std::int64_t span = stride > 0 ? end - begin : begin - end;
  const std::int64_t step = std::abs(stride);
  const std::int64_t count = span <= 0 ? 0 : (span + step - 1) / step;
  if (count == 0) slice.problem = "no elements of dimension " + std::to_string(slice.op.begin.size());
  slice.op.begin.push_back(begin);
  slice.op.stride.push_back(count == 1 ? 1 : stride);
  slice.op.count.push_back(count);
  if (!has(spec.masks.shrink_axis, i)) slice.output_shape.push_back(count);
}

}  // namespace

ResolvedSlice resolve_slice(const Shape& input, const SliceSpec& spec) {
  constexpr std::size_t kMaskBits = 32;
  ResolvedSlice slice;
  const std::size_t positions = spec.begin.size();
  if (positions > kMaskBits || spec.end.size() != positions || spec.stride.size() != positions) {
    slice.problem = "begin, end and strides of different lengths";
    return slice;
  }
  // Positions that take a dimension of the input: all but the ellipsis and the new axes.
  std::size_t taken = 0;
  for (std::size_t i = 0; i < positions; ++i) {
    if (!has(spec.masks.ellipsis, i) && !has(spec.masks.new_axis, i)) ++taken;
  }
  if (taken > input.size()) {
    slice.problem = std::to_string(taken) + " indices for " + std::to_string(input.size()) + " dimensions";
    return slice;
  }
  const std::size_t free_dimensions = input.size() - taken;
  std::size_t d = 0;
  bool ellipsis_seen = false;
  for (std::size_t i = 0; i < positions && slice.problem.empty(); ++i) {
    if (has(spec.masks.ellipsis, i)) {
      if (ellipsis_seen) slice.problem = "two ellipses";
      for (std::size_t k = 0; !ellipsis_seen && k < free_dimensions; ++k)
        take_whole_dimension(input[d++], slice);
      ellipsis_seen = true;
    } else if (has(spec.masks.new_axis, i)) {
      slice.output_shape.push_back(1);
    } else {
      take_position(input[d++], spec, i, slice);
    }
  }
  while (slice.problem.empty() && d < input.size()) take_whole_dimension(input[d++], slice);
  return slice;
}

}  // namespace qsim::tflite
