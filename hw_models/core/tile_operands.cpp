#include "hw_models/core/tile_operands.h"

#include <algorithm>

namespace qsim {

namespace {

/// How many output columns of [begin, end) reach an element with kernel column `kernel_w`.
std::int64_t valid_columns(const ConvolutionGeometry& g, std::int64_t kernel_w, std::int64_t begin,
                           std::int64_t end) {
  if (g.input_dilation_w == 1) {
    // 0 <= o*stride - pad + k*dilation < width  for a contiguous range of o.
    const std::int64_t shift = g.pad_left - kernel_w * g.dilation_w;
    const std::int64_t first = shift <= 0 ? 0 : ceil_div(shift, g.stride_w);
    const std::int64_t limit = g.input[kColumn] - 1 + shift;
    const std::int64_t last = limit < 0 ? -1 : limit / g.stride_w;
    return std::max<std::int64_t>(0, std::min(end, last + 1) - std::max(begin, first));
  }
  std::int64_t count = 0;
  for (std::int64_t o = begin; o < end; ++o) {
    count += static_cast<std::int64_t>(input_coordinate(o, kernel_w, g.stride_w, g.dilation_w, g.pad_left,
                                                        g.input_dilation_w, g.input[kColumn]) >= 0);
  }
  return count;
}

/// Pixels of the tile whose tap (kernel_h, kernel_w) lies inside the tensor.
std::int64_t valid_pixels(const MacTile& tile, std::int64_t kernel_h, std::int64_t kernel_w) {
  const ConvolutionGeometry& g = tile.nest->problem().geometry;
  const std::int64_t width = tile.output.extent(kColumn);
  std::int64_t count = 0;
  for (std::int64_t pixel = tile.pixel_begin; pixel < tile.pixel_end;) {
    const std::int64_t line = pixel / width;
    const std::int64_t line_end = std::min(tile.pixel_end, (line + 1) * width);
    const std::int64_t row = input_coordinate(tile.output.begin[kRow] + line, kernel_h, g.stride_h,
                                              g.dilation_h, g.pad_top, g.input_dilation_h, g.input[kRow]);
    if (row >= 0) {
      const std::int64_t first = tile.output.begin[kColumn] - line * width;
      count += valid_columns(g, kernel_w, first + pixel, first + line_end);
    }
    pixel = line_end;
  }
  return count;
}

}  // namespace

Tap tap_of(const ReductionPart& part, std::int64_t k) {
  const std::int64_t channels = part.channel_end - part.channel_begin;
  const std::int64_t columns = part.kernel_w_end - part.kernel_w_begin;
  Tap tap;
  tap.channel = part.channel_begin + k % channels;
  tap.kernel_w = part.kernel_w_begin + k / channels % columns;
  tap.kernel_h = part.kernel_h_begin + k / (channels * columns);
  return tap;
}

namespace {

/// Of stored channel `channel` of the input's pixel that a tap of the tile's pixel reads.
std::optional<std::int64_t> input_address(const MacTile& tile, std::int64_t pixel, const Tap& tap,
                                          std::int64_t channel) {
  const ConvolutionGeometry& g = tile.nest->problem().geometry;
  const Box& output = tile.output;
  const std::int64_t in_box = tile.pixel_begin + pixel;
  const std::int64_t row =
      input_coordinate(output.begin[kRow] + in_box / output.extent(kColumn), tap.kernel_h, g.stride_h,
                       g.dilation_h, g.pad_top, g.input_dilation_h, g.input[kRow]);
  const std::int64_t column =
      input_coordinate(output.begin[kColumn] + in_box % output.extent(kColumn), tap.kernel_w, g.stride_w,
                       g.dilation_w, g.pad_left, g.input_dilation_w, g.input[kColumn]);
  if (row < 0 || column < 0) return std::nullopt;
  const Dims& origin = tile.input_origin;
  return tile.input.bit_address(output.begin[kBatch] - origin[kBatch], tile.input_reach.rows.index(row),
                                tile.input_reach.columns.index(column), channel - origin[kChannel]);
}

}  // namespace

std::optional<std::int64_t> activation_address(const MacTile& tile, std::int64_t pixel, std::int64_t group,
                                               std::int64_t k) {
  const GemmProblem& problem = tile.nest->problem();
  const Tap tap = tap_of(tile.part, tile.chunk_begin + k);
  const std::int64_t channel =
      (tile.columns.group_begin + group) * problem.geometry.group_channels() + tap.channel;
  return input_address(tile, pixel, tap, problem.in_blocks ? arithmetic::mx_element(channel) : channel);
}

std::optional<std::int64_t> exponent_address(const MacTile& tile, std::int64_t pixel) {
  const Tap tap = tap_of(tile.part, tile.chunk_begin);
  const std::int64_t channels = tile.nest->problem().geometry.input[kChannel];
  return input_address(tile, pixel, tap, arithmetic::mx_exponent(tap.channel, channels));
}

std::int64_t exponents_read(const MacTile& tile) {
  const Tap tap = tap_of(tile.part, tile.chunk_begin);
  return valid_pixels(tile, tap.kernel_h, tap.kernel_w);
}

std::int64_t scale_group_of(const MacTile& tile) {
  const GemmProblem& problem = tile.nest->problem();
  const ConvolutionGeometry& g = problem.geometry;
  const Tap tap = tap_of(tile.part, tile.chunk_begin);
  if (problem.in_blocks)
    return (tap.kernel_h * g.kernel_w + tap.kernel_w) * ceil_div(g.group_channels(), arithmetic::kMxBlock) +
           tap.channel / arithmetic::kMxBlock;
  return (tap.kernel_h * g.kernel_w + tap.kernel_w) * (g.group_channels() / problem.scale_group) +
         tap.channel / problem.scale_group;
}

std::int64_t activations_read(const MacTile& tile) {
  const std::int64_t channels = tile.part.channel_end - tile.part.channel_begin;
  std::int64_t elements = 0;
  for (std::int64_t k = tile.chunk_begin; k < tile.chunk_begin + tile.chunk_depth;) {
    const Tap tap = tap_of(tile.part, k);
    const std::int64_t run =
        std::min(tile.part.channel_end - tap.channel, tile.chunk_begin + tile.chunk_depth - k);
    elements += run * valid_pixels(tile, tap.kernel_h, tap.kernel_w);
    k += std::min(run, channels);
  }
  return elements * tile.columns.groups();
}

}  // namespace qsim
