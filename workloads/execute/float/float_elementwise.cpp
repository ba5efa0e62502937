// Elementwise operations of float networks. Sums, products and comparisons are single float32 operations,
// powers are computed in double and rounded to float32 once; functions of one element are rows of
// ops/unary.h.
#include <algorithm>
#include <cmath>

#include "base/parallel_blocks.h"
#include "workloads/execute/float/float_nodes.h"
#include "workloads/graph/broadcast.h"
#include "workloads/ops/unary.h"

namespace qsim {
namespace {

/// Elements that a thread takes at once.
constexpr std::int64_t kBlockElements = 1 << 14;

/// y = f(a, b), both repeated where the output's shape asks for it.
template <typename Function>
void combine(const FloatRun& run, Function f) {
  const Shape& shape = run.output.shape;
  BroadcastCursor cursor(run.inputs[0]->shape, run.inputs[1]->shape, shape);
  const std::int64_t length = shape.empty() ? 1 : shape.back();
  const std::int64_t step_a = cursor.last_stride(0);
  const std::int64_t step_b = cursor.last_stride(1);
  float* y = run.result().data();
  for (std::int64_t done = 0; done < run.output.size(); done += length, cursor.next_run()) {
    const float* a = run.input(0).data() + cursor.offset(0);
    const float* b = run.input(1).data() + cursor.offset(1);
    for (std::int64_t i = 0; i < length; ++i) y[done + i] = f(a[i * step_a], b[i * step_b]);
  }
}

}  // namespace

void run_float_binary(const FloatRun& run, const BinaryOp& op) {
  const FloatClamp clamp(op.activation);
  switch (op.kind) {
    case BinaryKind::add:
      return combine(run, [clamp](float a, float b) { return clamp(a + b); });
    case BinaryKind::sub:
      return combine(run, [clamp](float a, float b) { return clamp(a - b); });
    case BinaryKind::mul:
      return combine(run, [clamp](float a, float b) { return clamp(a * b); });
    case BinaryKind::div:
      return combine(run, [clamp](float a, float b) { return clamp(a / b); });
    case BinaryKind::min:
      return combine(run, [clamp](float a, float b) { return clamp(std::min(a, b)); });
    case BinaryKind::max:
      return combine(run, [clamp](float a, float b) { return clamp(std::max(a, b)); });
    case BinaryKind::pow:
      return combine(run, [clamp](float a, float b) {
        return clamp(static_cast<float>(std::pow(static_cast<double>(a), static_cast<double>(b))));
      });
  }
}

void run_float_prelu(const FloatRun& run) {
  combine(run, [](float x, float slope) { return x < 0.0F ? slope * x : x; });
}

void run_float_batch_norm(const FloatRun& run) {
  const std::span<const float> scale = run.input(1);
  const std::span<const float> shift = run.input(2);
  const float* x = run.input().data();
  float* y = run.result().data();
  for (std::int64_t pixel = 0; pixel < run.output.size() / static_cast<std::int64_t>(scale.size()); ++pixel) {
    for (std::size_t c = 0; c < scale.size(); ++c) *y++ = *x++ * scale[c] + shift[c];
  }
}

void run_float_unary(const FloatRun& run, const UnaryOp& op) {
  const std::span<const float> x = run.input();
  const std::span<float> y = run.result();
  const auto apply = unary_row(op.kind).math.apply;
  for_each_block((run.output.size() + kBlockElements - 1) / kBlockElements, run.threads,
                 [&](std::int64_t block) {
                   const auto begin = static_cast<std::size_t>(block * kBlockElements);
                   const std::size_t count = std::min<std::size_t>(kBlockElements, y.size() - begin);
                   apply(op, x.subspan(begin, count), y.subspan(begin, count));
                 });
}

}  // namespace qsim
