// Resizing height and width of a float tensor.
#include <algorithm>
#include <vector>

#include "base/parallel_blocks.h"
#include "workloads/execute/execute.h"
#include "workloads/execute/float/float_nodes.h"
#include "workloads/graph/resize_coordinates.h"

namespace qsim {
namespace {

/// Output index -> the two input indices and the share of the second.
struct LinearTap {
  std::int64_t low = 0, high = 0;
  float share = 0.0F;
};

std::vector<LinearTap> linear_taps(const ResizeOp& op, const ResizeAxis& axis) {
  std::vector<LinearTap> taps;
  taps.reserve(static_cast<std::size_t>(axis.out));
  for (std::int64_t o = 0; o < axis.out; ++o) {
    const float position =
        std::clamp(onnx_coordinate(o, axis, op.coordinates), 0.0F, static_cast<float>(axis.in - 1));
    LinearTap tap;
    tap.low = static_cast<std::int64_t>(position);
    tap.high = std::min(tap.low + 1, axis.in - 1);
    tap.share = position - static_cast<float>(tap.low);
    taps.push_back(tap);
  }
  return taps;
}

void run_linear(const FloatRun& run, const ResizeOp& op) {
  const Shape& x = run.inputs[0]->shape;
  const Shape& y = run.output.shape;
  const std::int64_t channels = x[3];
  const std::vector<LinearTap> rows = linear_taps(op, {x[1], y[1], op.scale_h});
  const std::vector<LinearTap> columns = linear_taps(op, {x[2], y[2], op.scale_w});
  for_each_block(y[0] * y[1], run.threads, [&](std::int64_t row) {
    const LinearTap& v = rows[static_cast<std::size_t>(row % y[1])];
    const float* image = run.input().data() + row / y[1] * x[1] * x[2] * channels;
    const float* low = image + v.low * x[2] * channels;
    const float* high = image + v.high * x[2] * channels;
    float* out = run.result().data() + row * y[2] * channels;
    for (const LinearTap& h : columns) {
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

/// Which element is nearest does not depend on the element type.
void run_nearest(const FloatRun& run) {
  const Shape& x = run.inputs[0]->shape;
  const Shape& y = run.output.shape;
  const std::int64_t channels = x[3];
  const arithmetic::ResizeFunction function = resize_function(run.graph, run.node);
  for_each_block(y[0] * y[1], run.threads, [&](std::int64_t row) {
    const std::int64_t image_row =
        row / y[1] * x[1] + function.rows[static_cast<std::size_t>(row % y[1])].first;
    const float* from = run.input().data() + image_row * x[2] * channels;
    float* out = run.result().data() + row * y[2] * channels;
    for (const arithmetic::ResizeTap& tap : function.columns) {
      out = std::copy_n(from + tap.first * channels, channels, out);
    }
  });
}

}  // namespace

void run_float_resize(const FloatRun& run, const ResizeOp& op) {
  const bool copies = run.graph.semantics == Semantics::onnx && run.inputs[0]->shape == run.output.shape;
  if (op.mode == ResizeMode::nearest || copies) {
    run_nearest(run);
  } else {
    run_linear(run, op);
  }
}

}  // namespace qsim
