// Rows of a convolution's left operand (im2col), gathered a block at a time from the NHWC input.
#pragma once

#include <algorithm>
#include <cstdint>

#include "workloads/graph/conv_geometry.h"

namespace qsim {

/// Where the taps of one group come from.
template <typename In>
struct TapSource {
  const ConvGeometry& geometry;
  const In* input;           ///< NHWC.
  std::int64_t group = 0;    ///< Channels [group * group_channels, ...) are read.
  std::int32_t padding = 0;  ///< Value of padded and inserted elements: the zero point.
};

/// One kernel row of one output pixel: kernel_w * group_channels elements.
template <typename In, typename Out>
void gather_kernel_row(const TapSource<In>& source, std::int64_t image_row, std::int64_t out_x, Out* out) {
  const ConvGeometry& g = source.geometry;
  const std::int64_t channels = g.group_channels();
  const std::int64_t x0 = out_x * g.stride_w - g.pad_left;
  const In* row = source.input + image_row * g.in_w * g.in_channels + source.group * channels;
  const auto padding = static_cast<Out>(source.padding);
  if (g.dilation_w == 1 && g.insert_w == 1 && g.groups == 1) {
    // Taps [first, last) lie inside the image and side by side in memory.
    const std::int64_t first = std::clamp<std::int64_t>(-x0, 0, g.kernel_w);
    const std::int64_t last = std::clamp<std::int64_t>(g.in_w - x0, first, g.kernel_w);
    std::fill(out, out + first * channels, padding);
    std::copy(row + (x0 + first) * channels, row + (x0 + last) * channels, out + first * channels);
    std::fill(out + last * channels, out + g.kernel_w * channels, padding);
    return;
  }
  const std::int64_t virtual_w = (g.in_w - 1) * g.insert_w + 1;
  for (std::int64_t kx = 0; kx < g.kernel_w; ++kx, out += channels) {
    const std::int64_t ix = x0 + kx * g.dilation_w;
    if (ix < 0 || ix >= virtual_w || ix % g.insert_w != 0) {
      std::fill(out, out + channels, padding);
    } else {
      const In* pixel = row + ix / g.insert_w * g.in_channels;
      std::copy(pixel, pixel + channels, out);
    }
  }
}

/// Rows [row_begin, row_begin + rows), `row_stride` elements apart, depth() elements each.
template <typename In, typename Out>
void gather_rows(const TapSource<In>& source, std::int64_t row_begin, std::int64_t rows, Out* out,
                 std::int64_t row_stride) {
  const ConvGeometry& g = source.geometry;
  const std::int64_t run = g.kernel_w * g.group_channels();
  const std::int64_t virtual_h = (g.in_h - 1) * g.insert_h + 1;
  for (std::int64_t r = row_begin; r < row_begin + rows; ++r, out += row_stride) {
    if (g.is_pointwise()) {
      std::copy(source.input + r * g.in_channels, source.input + (r + 1) * g.in_channels, out);
      continue;
    }
    const std::int64_t out_x = r % g.out_w;
    const std::int64_t out_y = r / g.out_w % g.out_h;
    const std::int64_t image = r / (g.out_w * g.out_h);
    for (std::int64_t ky = 0; ky < g.kernel_h; ++ky) {
      const std::int64_t iy = out_y * g.stride_h - g.pad_top + ky * g.dilation_h;
      if (iy < 0 || iy >= virtual_h || iy % g.insert_h != 0) {
        std::fill(out + ky * run, out + (ky + 1) * run, static_cast<Out>(source.padding));
      } else {
        gather_kernel_row(source, image * g.in_h + iy / g.insert_h, out_x, out + ky * run);
      }
    }
  }
}

/// A row [tap][channel] as [part][tap][channel of the part], parts of `part_channels` channels.
template <typename T>
void order_by_parts(const T* row, std::int64_t taps, std::int64_t channels, std::int64_t part_channels,
                    T* out) {
  for (std::int64_t begin = 0; begin < channels; begin += part_channels) {
    const std::int64_t end = std::min(channels, begin + part_channels);
    for (std::int64_t tap = 0; tap < taps; ++tap)
      out = std::copy(row + tap * channels + begin, row + tap * channels + end, out);
  }
}

}  // namespace qsim
