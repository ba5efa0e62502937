// Elementwise operations of float networks. Sums, products and comparisons are single float32 operations; the
// other functions are computed in double and rounded to float32 once.
#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "base/parallel_blocks.h"
#include "workloads/execute/float/float_nodes.h"
#include "workloads/graph/broadcast.h"

namespace qsim {
namespace {

/// Elements that a thread takes at once.
constexpr std::int64_t kBlockElements = 1 << 14;
constexpr double kSqrtHalf = 0.70710678118654752440;
constexpr double kSqrtTwoOverPi = 0.79788456080286535588;

/// y[i] = f(x[i])
template <typename Function>
void map_elements(const FloatRun& run, Function f) {
  const std::int64_t count = run.output.size();
  const float* x = run.input().data();
  float* y = run.result().data();
  for_each_block((count + kBlockElements - 1) / kBlockElements, run.threads, [&](std::int64_t block) {
    const std::int64_t begin = block * kBlockElements;
    std::transform(x + begin, x + std::min(begin + kBlockElements, count), y + begin, f);
  });
}

/// The same in double.
template <typename Function>
void map_in_double(const FloatRun& run, Function f) {
  map_elements(run, [f](float x) { return static_cast<float>(f(static_cast<double>(x))); });
}

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

namespace {

/// Kinds made of straight pieces and the roundings to integers, in float32.
void run_pieces(const FloatRun& run, const UnaryOp& op) {
  const float alpha = op.alpha;
  const float beta = op.beta;
  switch (op.kind) {
    case UnaryKind::leaky_relu:
      return map_elements(run, [alpha](float x) { return x < 0.0F ? alpha * x : x; });
    case UnaryKind::relu:
      return map_elements(run, FloatClamp(Activation::relu));
    case UnaryKind::relu6:
      return map_elements(run, FloatClamp(Activation::relu6));
    case UnaryKind::relu_n1_to_1:
      return map_elements(run, FloatClamp(Activation::relu_n1_to_1));
    case UnaryKind::hard_swish:
      return map_elements(run, [](float x) { return x * std::min(std::max(x + 3.0F, 0.0F), 6.0F) / 6.0F; });
    case UnaryKind::hard_sigmoid:
      return map_elements(
          run, [alpha, beta](float x) { return std::min(std::max(alpha * x + beta, 0.0F), 1.0F); });
    case UnaryKind::clip:
      return map_elements(run, [alpha, beta](float x) { return std::min(std::max(x, alpha), beta); });
    case UnaryKind::neg:
      return map_elements(run, [](float x) { return -x; });
    case UnaryKind::abs:
      return map_elements(run, [](float x) { return std::abs(x); });
    case UnaryKind::floor:
      return map_elements(run, [](float x) { return std::floor(x); });
    case UnaryKind::ceil:
      return map_elements(run, [](float x) { return std::ceil(x); });
    default:
      throw std::logic_error("a unary kind without a float function");
  }
}

}  // namespace

void run_float_unary(const FloatRun& run, const UnaryOp& op) {
  switch (op.kind) {
    case UnaryKind::logistic:
      return map_in_double(run, [](double x) { return 1.0 / (1.0 + std::exp(-x)); });
    case UnaryKind::tanh:
      return map_in_double(run, [](double x) { return std::tanh(x); });
    case UnaryKind::gelu:
      return map_in_double(run, [](double x) { return 0.5 * x * (1.0 + std::erf(x * kSqrtHalf)); });
    case UnaryKind::gelu_tanh:
      return map_in_double(run, [](double x) {
        return 0.5 * x * (1.0 + std::tanh(kSqrtTwoOverPi * (x + 0.044715 * x * x * x)));
      });
    case UnaryKind::elu:
      return map_in_double(run, [alpha = static_cast<double>(op.alpha)](double x) {
        return x < 0.0 ? alpha * std::expm1(x) : x;
      });
    case UnaryKind::erf:
      return map_in_double(run, [](double x) { return std::erf(x); });
    case UnaryKind::exp:
      return map_in_double(run, [](double x) { return std::exp(x); });
    case UnaryKind::log:
      return map_in_double(run, [](double x) { return std::log(x); });
    case UnaryKind::sqrt:
      return map_in_double(run, [](double x) { return std::sqrt(x); });
    case UnaryKind::reciprocal:
      return map_in_double(run, [](double x) { return 1.0 / x; });
    case UnaryKind::softplus:  // max(x, 0) + log(1 + exp(-|x|)): nothing overflows.
      return map_in_double(run,
                           [](double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); });
    default:
      return run_pieces(run, op);
  }
}

}  // namespace qsim
