// validate(): whether scales of input and output fit each other. Output stages multiply by a quotient of
// scales. TFLite: above 2^31 every sum but 0 would leave the range of every format, and the reference runtime
// aborts or overflows. ONNX: float32 has to hold it; what is too large saturates.
#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "workloads/graph/graph_check.h"
#include "workloads/ops/unary.h"

namespace qsim {
namespace {

constexpr float kLargestQuotient = 2147483648.0F;  // 2^31

}  // namespace

bool NodeChecker::expect_quotient(float quotient, const std::string& what) {
  const bool in_floats = graph_.semantics == Semantics::onnx;
  const bool is_usable = std::isfinite(quotient) && (in_floats || quotient < kLargestQuotient);
  return expect(is_usable, what, fmt::format("{:g}", quotient), in_floats ? "a float32" : "less than 2^31",
                "the scales do not fit each other: is the output's too small?");
}

void NodeChecker::check_scales() {
  if (is_float()) return;
  std::visit([this](const auto& op) { check_scales_of(op); }, node_.op);
}

// s_x * s_w[n] / s_y
void NodeChecker::check_mac_scales() {
  const float x = input(0).quantization->scale();
  const float y = output().quantization->scale();
  for (const float w : input(1).quantization->scales) {
    if (!expect_quotient(x * w / y, "input scale x weight scale / output scale")) return;
  }
}

// s_a / s_y, s_b / s_y, and s_a * s_b / s_y of a product
void NodeChecker::check_scales_of(const BinaryOp& op) {
  const float a = input(0).quantization->scale();
  const float b = input(1).quantization->scale();
  const float y = output().quantization->scale();
  if (op.kind == BinaryKind::mul) {
    expect_quotient(a * b / y, "product of the input scales / output scale");
  } else if (expect_quotient(a / y, "first input scale / output scale")) {
    expect_quotient(b / y, "second input scale / output scale");
  }
}

void NodeChecker::check_rescaling() {
  const float y = output().quantization->scale();
  for (std::size_t i = 0; i < node_.inputs.size(); ++i) {
    if (!input(i).quantization) continue;
    if (!expect_quotient(input(i).quantization->scale() / y, "input scale / output scale")) return;
  }
}

// TFLite: at most 8 bits, M = beta * s * 2^26 has to be above 1; more bits, s * beta / (10 / 65535) is a
// multiplier.
void NodeChecker::check_scales_of(const SoftmaxOp& op) {
  if (graph_.semantics != Semantics::tflite) return;
  const Quantization& x = *input(0).quantization;
  const double step = static_cast<double>(op.beta) * static_cast<double>(x.scale());
  expect(step * 67108864.0 > 1.0 || x.bits > 8, "beta x input scale", fmt::format("{:g}", step),
         "above 2^-26, where differences of inputs still show", "is the input's scale too small?");
  expect(step < static_cast<double>(kLargestQuotient) / 65536.0, "beta x input scale",
         fmt::format("{:g}", step), "less than 32,768", "is the input's scale too large?");
}

// ONNX computes with real numbers, and no quotient is formed. TFLite's 16-bit logistic and tanh: q * s * 3 *
// 4096 has 32 bits.
void NodeChecker::check_scales_of(const UnaryOp& op) {
  if (graph_.semantics == Semantics::onnx) return;
  check_rescaling();
  const Quantization& x = *input(0).quantization;
  if (unary_row(op.kind).scales_by_alpha) {
    expect_quotient(std::abs(op.alpha) * x.scale() / output().quantization->scale(),
                    "alpha x input scale / output scale");
  }
  const bool is_sigmoid = unary_row(op.kind).range.has_value();
  if (!is_sigmoid || x.bits <= 8) return;
  const double largest =
      std::ldexp(static_cast<double>(x.scale()) * 3.0 * 4096.0, x.bits - (x.is_signed ? 1 : 0));
  expect(largest < std::numeric_limits<std::int32_t>::max(), "input scale", fmt::format("{:g}", x.scale()),
         fmt::format("less than {:g}", static_cast<double>(x.scale()) / largest * 2147483647.0),
         "logistic and tanh are flat long before");
}

}  // namespace qsim
