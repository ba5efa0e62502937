// Resizing height and width of a float tensor. Positions are computed in float32, as ONNX Runtime and TFLite do:
// where a position falls on a boundary between two input elements, its rounding decides.
#include <algorithm>
#include <cmath>
#include <vector>

#include "workloads/float/float_nodes.h"
#include "workloads/float/parallel_blocks.h"

namespace qsim {
namespace {

struct ResizeAxis {
  std::int64_t in = 1, out = 1;
  float scale = 1.0F;  ///< Output size / input size.
};

/// Where output index o lies in the input (ResizeCoordinates).
float source_position(const ResizeOp& op, const ResizeAxis& axis, std::int64_t o) {
  const auto x = static_cast<float>(o);
  switch (op.coordinates) {
    case ResizeCoordinates::half_pixel:
      return (x + 0.5F) / axis.scale - 0.5F;
    case ResizeCoordinates::pytorch_half_pixel:
      return axis.out > 1 ? (x + 0.5F) / axis.scale - 0.5F : 0.0F;
    case ResizeCoordinates::asymmetric:
      return x / axis.scale;
    case ResizeCoordinates::align_corners:
      return axis.out > 1 ? x * static_cast<float>(axis.in - 1) / static_cast<float>(axis.out - 1) : 0.0F;
    case ResizeCoordinates::tf_half_pixel_for_nn:
      return (x + 0.5F) / axis.scale;
  }
  return x;
}

std::int64_t rounded(ResizeRounding rounding, float position) {
  switch (rounding) {
    case ResizeRounding::floor:
      return static_cast<std::int64_t>(std::floor(position));
    case ResizeRounding::ceil:
      return static_cast<std::int64_t>(std::ceil(position));
    case ResizeRounding::round_prefer_floor:  // The lower one at a tie.
      return static_cast<std::int64_t>(std::ceil(position - 0.5F));
    case ResizeRounding::round_prefer_ceil:
      return static_cast<std::int64_t>(std::floor(position + 0.5F));
  }
  return 0;
}

/// Output index -> the two input indices and the share of the second.
struct ResizeTap {
  std::int64_t low = 0, high = 0;
  float share = 0.0F;
};

std::vector<ResizeTap> taps_of(const ResizeOp& op, const ResizeAxis& axis) {
  std::vector<ResizeTap> taps;
  taps.reserve(static_cast<std::size_t>(axis.out));
  for (std::int64_t o = 0; o < axis.out; ++o) {
    const float position = source_position(op, axis, o);
    ResizeTap tap;
    if (op.mode == ResizeMode::nearest) {
      tap.low = tap.high = std::clamp<std::int64_t>(rounded(op.rounding, position), 0, axis.in - 1);
    } else {
      const float inside = std::clamp(position, 0.0F, static_cast<float>(axis.in - 1));
      tap.low = static_cast<std::int64_t>(inside);
      tap.high = std::min(tap.low + 1, axis.in - 1);
      tap.share = inside - static_cast<float>(tap.low);
    }
    taps.push_back(tap);
  }
  return taps;
}

}  // namespace

void run_float_resize(const FloatRun& run, const ResizeOp& op) {
  const Shape& x = run.inputs[0]->shape;
  const Shape& y = run.output.shape;
  const std::int64_t channels = x[3];
  const std::vector<ResizeTap> rows = taps_of(op, {x[1], y[1], op.scale_h});
  const std::vector<ResizeTap> columns = taps_of(op, {x[2], y[2], op.scale_w});
  for_each_block(y[0] * y[1], run.threads, [&](std::int64_t row) {
    const ResizeTap& v = rows[static_cast<std::size_t>(row % y[1])];
    const float* image = run.input().data() + row / y[1] * x[1] * x[2] * channels;
    const float* low = image + v.low * x[2] * channels;
    const float* high = image + v.high * x[2] * channels;
    float* out = run.result().data() + row * y[2] * channels;
    for (const ResizeTap& h : columns) {
      if (op.mode == ResizeMode::nearest) {
        out = std::copy_n(low + h.low * channels, channels, out);
        continue;
      }
      const std::int64_t left = h.low * channels;
      const std::int64_t right = h.high * channels;
      for (std::int64_t c = 0; c < channels; ++c) {
        const float top = low[left + c] * (1.0F - h.share) + low[right + c] * h.share;
        const float bottom = high[left + c] * (1.0F - h.share) + high[right + c] * h.share;
        *out++ = top * (1.0F - v.share) + bottom * v.share;
      }
    }
  });
}

}  // namespace qsim
