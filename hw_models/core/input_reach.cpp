#include "hw_models/core/input_reach.h"

#include <algorithm>
#include <numeric>

#include "hw_models/arithmetic/bit_packing.h"
#include "hw_models/dataflow/cuts.h"

namespace qsim {

namespace {

/// What `outputs` outputs and `taps` taps touch of a dimension without ends, from the first position on.
struct Pattern {
  std::int64_t step = 1, block = 1, period = 1;
  std::int64_t count = 1;

  [[nodiscard]] bool has_gaps() const { return step > 1 || block < period; }
  /// Positions of the first `places` places of the progression of `step`.
  [[nodiscard]] std::int64_t within(std::int64_t places) const {
    return places / period * block + std::min(places % period, block);
  }
};

Pattern touched(const InputDimension& dimension, std::int64_t outputs, std::int64_t taps) {
  const std::int64_t stride = dimension.stride;
  const std::int64_t dilation = dimension.dilation;
  if (outputs == 1 && taps == 1) return {};
  if (taps == 1) return {stride, 1, 1, outputs};
  if (outputs == 1) return {dilation, 1, 1, taps};
  const std::int64_t step = std::gcd(stride, dilation);
  if (step == dilation && taps < stride / step) return {step, taps, stride / step, outputs * taps};
  if (step == stride && outputs < dilation / step) return {step, outputs, dilation / step, outputs * taps};
  return {step, 1, 1, ((outputs - 1) * stride + (taps - 1) * dilation) / step + 1};
}

bool can_skip(const InputDimension& dimension, std::int64_t outputs, std::int64_t taps) {
  return dimension.input_dilation == 1 && touched(dimension, outputs, taps).has_gaps();
}

/// Whether runs of what is touched take fewer bytes of bursts than all of it, where positions of
/// `position_bytes` lie side by side. Of a period of Q bytes: runs * (b + L - a) < Q.
bool saves_bursts(const Pattern& pattern, std::int64_t position_bytes, std::int64_t burst_bytes) {
  const std::int64_t runs = pattern.step > 1 ? pattern.block : 1;
  const std::int64_t run_bytes = pattern.block / runs * position_bytes;
  const std::int64_t alignment = std::gcd(position_bytes, burst_bytes);
  return runs * (burst_bytes + run_bytes - alignment) < pattern.period * pattern.step * position_bytes;
}

}  // namespace

std::pair<std::int64_t, std::int64_t> input_range(std::int64_t o0, std::int64_t o1, std::int64_t k0,
                                                  std::int64_t k1, std::int64_t stride, std::int64_t pad,
                                                  std::int64_t dilation, std::int64_t input_dilation,
                                                  std::int64_t size) {
  const std::int64_t first = std::max<std::int64_t>(0, o0 * stride - pad + k0 * dilation);
  const std::int64_t last = (o1 - 1) * stride - pad + (k1 - 1) * dilation;
  const std::int64_t begin = std::min(size, ceil_div(first, input_dilation));
  const std::int64_t end = last < 0 ? 0 : std::min(size, last / input_dilation + 1);
  return {begin, std::max(begin, end)};
}

InputDimension input_rows(const ConvolutionGeometry& g) {
  return {g.stride_h, g.pad_top, g.dilation_h, g.input_dilation_h, g.input[kRow]};
}

InputDimension input_columns(const ConvolutionGeometry& g) {
  return {g.stride_w, g.pad_left, g.dilation_w, g.input_dilation_w, g.input[kColumn]};
}

Reach input_reach(const InputDimension& dimension, std::int64_t o0, std::int64_t o1, std::int64_t k0,
                  std::int64_t k1, bool skips) {
  const auto& [stride, pad, dilation, input_dilation, size] = dimension;
  const auto [begin, end] = input_range(o0, o1, k0, k1, stride, pad, dilation, input_dilation, size);
  if (!skips || begin == end || !can_skip(dimension, o1 - o0, k1 - k0)) return {begin, end - begin, 1, {}};
  // The pattern begins at `first`, which may lie before the tensor, and is clipped to [0, size).
  const Pattern pattern = touched(dimension, o1 - o0, k1 - k0);
  const std::int64_t first = o0 * stride - pad + k0 * dilation;
  const auto before = [&](std::int64_t position) {
    return pattern.within(ceil_div(std::max<std::int64_t>(0, position - first), pattern.step));
  };
  const std::int64_t k_begin = before(0);
  const std::int64_t k_end = std::min(pattern.count, before(size));
  if (k_begin >= k_end) return {begin, 0, 1, {}};
  Reach reach;
  reach.count = k_end - k_begin;
  reach.step = pattern.step;
  reach.begin = first + pattern.step * BlockPattern{pattern.block, pattern.period, 0}.at(k_begin);
  reach.blocks = {pattern.block, pattern.period, k_begin % pattern.block};
  return reach;
}

std::int64_t most_positions(const InputDimension& dimension, std::int64_t outputs, std::int64_t taps,
                            bool skips) {
  if (skips && can_skip(dimension, outputs, taps)) {
    const Pattern pattern = touched(dimension, outputs, taps);
    return std::min(pattern.count, pattern.within(ceil_div(dimension.size, pattern.step)));
  }
  const std::int64_t span = (outputs - 1) * dimension.stride + (taps - 1) * dimension.dilation + 1;
  return std::min(dimension.size, ceil_div(span, dimension.input_dilation));
}

std::int64_t run_positions(const InputDimension& dimension, std::int64_t outputs, std::int64_t taps) {
  const Pattern pattern = touched(dimension, outputs, taps);
  return pattern.step > 1 ? 1 : pattern.block;
}

InputSkips input_skips(const GemmProblem& problem, const GemmMapping& mapping, std::int64_t blocks) {
  const std::int64_t burst_bytes = problem.skip_burst_bytes;
  if (burst_bytes == 0 || mapping.input_resident) return {};
  const ConvolutionGeometry& g = problem.geometry;
  const InputDimension columns = input_columns(g);
  const InputDimension rows = input_rows(g);
  const TensorLayout& layout = problem.input.layout;
  const std::int64_t pixel_bytes = layout.strides[2];
  // Of a tile with fewer channels than the tensor each pixel is a run of its own, whatever is skipped.
  const bool has_whole_pixels =
      mapping.part_channels == g.group_channels() && (g.groups == 1 || blocks == 1) &&
      arithmetic::packed_bytes(problem.input.dims[kChannel], layout.format.bits) == pixel_bytes;
  InputSkips skips;
  skips.columns =
      can_skip(columns, mapping.tile_columns, mapping.part_kernel_w) &&
      (!has_whole_pixels ||
       saves_bursts(touched(columns, mapping.tile_columns, mapping.part_kernel_w), pixel_bytes, burst_bytes));
  const bool has_whole_rows =
      has_whole_pixels && !skips.columns &&
      most_positions(columns, mapping.tile_columns, mapping.part_kernel_w, false) == columns.size;
  skips.rows = can_skip(rows, mapping.tile_rows, mapping.part_kernel_h) &&
               (!has_whole_rows || saves_bursts(touched(rows, mapping.tile_rows, mapping.part_kernel_h),
                                                layout.strides[1], burst_bytes));
  return skips;
}

}  // namespace qsim
