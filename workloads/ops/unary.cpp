#include "workloads/ops/unary.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "hw_models/arithmetic/activation_tables.h"
#include "hw_models/arithmetic/onnx_float_functions.h"

namespace qsim {
namespace {

using arithmetic::QuantizedType;
using arithmetic::TableFunction;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr double kSqrtHalf = 0.70710678118654752440;
constexpr double kSqrtTwoOverPi = 0.79788456080286535588;

/// f(x, alpha, beta) with numbers of type `Real`.
template <typename Real, typename F>
auto with_parameters(const UnaryOp& op) {
  return [alpha = static_cast<Real>(op.alpha), beta = static_cast<Real>(op.beta)](Real x) {
    return F{}(x, alpha, beta);
  };
}
template <typename F>
double in_double(const UnaryOp& op, double x) {
  return with_parameters<double, F>(op)(x);
}

/// A function that is computed in double and rounded once.
template <typename F>
constexpr UnaryMath smooth(F /*function*/) {
  return {[](const UnaryOp& op, std::span<const float> x, std::span<float> y) {
            const auto f = with_parameters<double, F>(op);
            std::transform(x.begin(), x.end(), y.begin(),
                           [f](float v) { return static_cast<float>(f(static_cast<double>(v))); });
          },
          in_double<F>};
}
/// A function of straight pieces, in float32.
template <typename F>
constexpr UnaryMath pieces(F /*function*/) {
  return {[](const UnaryOp& op, std::span<const float> x, std::span<float> y) {
            std::transform(x.begin(), x.end(), y.begin(), with_parameters<float, F>(op));
          },
          in_double<F>};
}

/// Limits in whole numbers; a NaN stays one.
template <int kLow, int kHigh>
struct Limits {
  template <typename Real>
  Real operator()(Real x, Real /*alpha*/, Real /*beta*/) const {
    return x < Real{kLow} ? Real{kLow} : x > Real{kHigh} ? Real{kHigh} : x;
  }
};

/// Entries of ONNX Runtime and TFLite where a function limits x.
template <int kLow, int kHigh>
float onnx_limits(const UnaryOp& /*op*/, float x) {
  return std::fmin(std::fmax(x, float{kLow}), float{kHigh});
}
template <int kLow, int kHigh>
TableFunction tflite_limits(const UnaryOp& /*op*/, const QuantizedType& in, const QuantizedType& out) {
  return arithmetic::make_relu_table(in, out, float{kLow}, float{kHigh});
}
/// A kernel without parameters.
template <auto make>
TableFunction tflite_plain(const UnaryOp& /*op*/, const QuantizedType& in, const QuantizedType& out) {
  return make(in, out);
}
template <bool kApproximate>
TableFunction tflite_gelu(const UnaryOp& /*op*/, const QuantizedType& in, const QuantizedType& out) {
  return arithmetic::make_gelu_table(in, out, kApproximate);
}
template <auto function>
float onnx_plain(const UnaryOp& /*op*/, float x) {
  return function(x);
}

std::string_view hard_swish_obstacle(const UnaryOp& /*op*/, const QuantizedType& x, const QuantizedType& y) {
  return x.format.bits <= 8 && x.scale >= 128.0F * y.scale
             ? "an output scale of at most 1/128 of the input's, which TFLite's kernel refuses"
             : "";
}

constexpr const char* kNone = "no integer arithmetic for this operation";

// clang-format off
constexpr std::array kUnaryRows{
    UnaryRow{.kind = UnaryKind::logistic, .name = "logistic",
             .description = "1 / (1 + exp(-x)). \"tflite\" semantics: output at 1/256 and -128 (8 bits), "
                            "1/32768 and 0 (16 bits).",
             .onnx_operator = "Sigmoid", .tflite = {14, "LOGISTIC"},
             .math = smooth([](auto x, auto, auto) { return 1.0 / (1.0 + std::exp(-x)); }),
             .onnx = onnx_plain<arithmetic::onnx_logistic>,
             .tflite_table = tflite_plain<arithmetic::make_logistic_table>,
             .range = RealRange{0.0F, 1.0F}},
    UnaryRow{.kind = UnaryKind::tanh, .name = "tanh",
             .description = "Hyperbolic tangent. \"tflite\" semantics: output at 1/128 and 0 (8 bits), "
                            "1/32768 and 0 (16 bits).",
             .onnx_operator = "Tanh", .tflite = {28, "TANH"},
             .math = smooth([](auto x, auto, auto) { return std::tanh(x); }),
             .onnx = onnx_plain<arithmetic::onnx_tanh>,
             .tflite_table = tflite_plain<arithmetic::make_tanh_table>,
             .range = RealRange{-1.0F, 1.0F}},
    UnaryRow{.kind = UnaryKind::leaky_relu, .name = "leaky_relu",
             .description = "x where positive, alpha * x elsewhere.",
             .parameters = {UnaryParameter{"alpha", "Slope of the negative side.", {}, 0.01F}},
             .onnx_operator = "LeakyRelu", .tflite = {.builtin_code = 98, .name = "LEAKY_RELU", .reads_alpha = true},
             .math = pieces([](auto x, auto alpha, auto) { return x < 0 ? alpha * x : x; }),
             .onnx = [](const UnaryOp& op, float x) { return x >= 0.0F ? x : x * op.alpha; },
             .tflite_table = [](const UnaryOp& op, const QuantizedType& in, const QuantizedType& out) {
               return arithmetic::make_leaky_relu_table(in, out, op.alpha); },
             .follows_input = true, .keeps_factors = true, .scales_by_alpha = true},
    UnaryRow{.kind = UnaryKind::relu, .name = "relu", .description = "max(x, 0) by itself.",
             .onnx_operator = "Relu", .tflite = {19, "RELU"},
             .math = pieces([](auto x, auto, auto) { return x < 0 ? decltype(x){0} : x; }),
             .onnx = [](const UnaryOp&, float x) { return std::fmax(x, 0.0F); },
             .tflite_table = [](const UnaryOp&, const QuantizedType& in, const QuantizedType& out) {
               return arithmetic::make_relu_table(in, out, 0.0F, kInfinity); },
             .follows_input = true, .keeps_factors = true, .activation = Activation::relu},
    UnaryRow{.kind = UnaryKind::relu6, .name = "relu6", .description = "min(max(x, 0), 6) by itself.",
             .tflite = {21, "RELU6"}, .math = pieces(Limits<0, 6>{}),
             .onnx = onnx_limits<0, 6>, .tflite_table = tflite_limits<0, 6>,
             .follows_input = true, .activation = Activation::relu6},
    UnaryRow{.kind = UnaryKind::relu_n1_to_1, .name = "relu_n1_to_1",
             .description = "min(max(x, -1), 1) by itself.",
             .tflite = {20, "RELU_N1_TO_1"}, .math = pieces(Limits<-1, 1>{}),
             .onnx = onnx_limits<-1, 1>, .tflite_table = tflite_limits<-1, 1>,
             .follows_input = true, .activation = Activation::relu_n1_to_1},
    UnaryRow{.kind = UnaryKind::hard_swish, .name = "hard_swish",
             .description = "x * min(max(x + 3, 0), 6) / 6.",
             .onnx_operator = "HardSwish", .tflite = {117, "HARD_SWISH"},
             .math = pieces([](auto x, auto, auto) {
               using Real = decltype(x);
               return x * std::min(std::max(x + Real{3}, Real{0}), Real{6}) / Real{6}; }),
             .onnx = [](const UnaryOp&, float x) {
               return x * arithmetic::onnx_hard_sigmoid(x, 1.0F / 6.0F, 0.5F); },
             .tflite_table = tflite_plain<arithmetic::make_hard_swish_table>, .tflite_bits = 8,
             .tflite_obstacle = hard_swish_obstacle},
    UnaryRow{.kind = UnaryKind::hard_sigmoid, .name = "hard_sigmoid",
             .description = "min(max(alpha * x + beta, 0), 1).",
             .parameters = {UnaryParameter{"alpha", "Slope.", 0.2F, 0.2F},
                            UnaryParameter{"beta", "Value at 0.", 0.5F, 0.5F}},
             .onnx_operator = "HardSigmoid",
             .math = pieces([](auto x, auto alpha, auto beta) {
               using Real = decltype(x);
               return std::min(std::max(alpha * x + beta, Real{0}), Real{1}); }),
             .onnx = [](const UnaryOp& op, float x) {
               return arithmetic::onnx_hard_sigmoid(x, op.alpha, op.beta); }},
    UnaryRow{.kind = UnaryKind::gelu, .name = "gelu", .description = "x / 2 * (1 + erf(x / sqrt(2))).",
             .onnx_operator = "Gelu", .tflite = {150, "GELU"}, .approximation = "none",
             .math = smooth([](auto x, auto, auto) { return 0.5 * x * (1.0 + std::erf(x * kSqrtHalf)); }),
             .onnx = onnx_plain<arithmetic::onnx_gelu>, .tflite_table = tflite_gelu<false>},
    UnaryRow{.kind = UnaryKind::gelu_tanh, .name = "gelu_tanh",
             .description = "x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))).",
             .onnx_operator = "Gelu", .tflite = {150, "GELU"}, .approximation = "tanh",
             .math = smooth([](auto x, auto, auto) {
               return 0.5 * x * (1.0 + std::tanh(kSqrtTwoOverPi * (x + 0.044715 * x * x * x))); }),
             .onnx = onnx_plain<arithmetic::onnx_gelu_tanh>, .tflite_table = tflite_gelu<true>},
    // TFLite has it with the bounds 0 and 1 (RELU_0_TO_1).
    UnaryRow{.kind = UnaryKind::clip, .name = "clip", .description = "x limited to [low, high].",
             .parameters = {UnaryParameter{"low", "Least value. Default: no limit.", {}, 0.0F, true, -kInfinity},
                            UnaryParameter{"high", "Greatest value. Default: no limit.", {}, 0.0F, true,
                                           kInfinity}},
             .tflite = {152, "RELU_0_TO_1", 0.0F, 1.0F},
             .math = pieces([](auto x, auto low, auto high) { return std::min(std::max(x, low), high); }),
             .onnx = [](const UnaryOp& op, float x) { return std::fmin(std::fmax(x, op.alpha), op.beta); },
             .tflite_table = [](const UnaryOp& op, const QuantizedType& in, const QuantizedType& out) {
               return arithmetic::make_relu_table(in, out, op.alpha, op.beta); },
             .follows_input = true},
    UnaryRow{.kind = UnaryKind::elu, .name = "elu",
             .description = "x where positive, alpha * (exp(x) - 1) elsewhere.",
             .parameters = {UnaryParameter{"alpha", "Limit of the negative side, negated.", 1.0F, 1.0F}},
             .onnx_operator = "Elu", .tflite = {111, "ELU", 1.0F},
             .math = smooth([](auto x, auto alpha, auto) { return x < 0.0 ? alpha * std::expm1(x) : x; }),
             .tflite_table = tflite_plain<arithmetic::make_elu_table>, .tflite_bits = 8,
             .tflite_obstacle = [](const UnaryOp& op, const QuantizedType&, const QuantizedType&) {
               return std::string_view(op.alpha != 1.0F ? kNone : ""); }},
    UnaryRow{.kind = UnaryKind::erf, .name = "erf", .description = "The error function.",
             .onnx_operator = "Erf", .math = smooth([](auto x, auto, auto) { return std::erf(x); })},
    UnaryRow{.kind = UnaryKind::exp, .name = "exp", .description = "e to the power of x.",
             .onnx_operator = "Exp", .math = smooth([](auto x, auto, auto) { return std::exp(x); })},
    UnaryRow{.kind = UnaryKind::log, .name = "log", .description = "Natural logarithm.",
             .onnx_operator = "Log", .math = smooth([](auto x, auto, auto) { return std::log(x); })},
    UnaryRow{.kind = UnaryKind::sqrt, .name = "sqrt", .description = "Square root.",
             .onnx_operator = "Sqrt", .math = smooth([](auto x, auto, auto) { return std::sqrt(x); })},
    UnaryRow{.kind = UnaryKind::reciprocal, .name = "reciprocal", .description = "1 / x.",
             .onnx_operator = "Reciprocal", .math = smooth([](auto x, auto, auto) { return 1.0 / x; })},
    UnaryRow{.kind = UnaryKind::neg, .name = "neg", .description = "-x.",
             .onnx_operator = "Neg", .math = pieces([](auto x, auto, auto) { return -x; })},
    UnaryRow{.kind = UnaryKind::abs, .name = "abs", .description = "|x|.",
             .onnx_operator = "Abs", .math = pieces([](auto x, auto, auto) { return std::abs(x); })},
    UnaryRow{.kind = UnaryKind::floor, .name = "floor", .description = "Largest integer not above x.",
             .onnx_operator = "Floor", .math = pieces([](auto x, auto, auto) { return std::floor(x); })},
    UnaryRow{.kind = UnaryKind::ceil, .name = "ceil", .description = "Smallest integer not below x.",
             .onnx_operator = "Ceil", .math = pieces([](auto x, auto, auto) { return std::ceil(x); })},
    // max(x, 0) + log(1 + exp(-|x|)): nothing overflows.
    UnaryRow{.kind = UnaryKind::softplus, .name = "softplus", .description = "log(1 + exp(x)).",
             .onnx_operator = "Softplus", .math = smooth([](auto x, auto, auto) {
               return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); })},
    UnaryRow{.kind = UnaryKind::softsign, .name = "softsign", .description = "x / (1 + |x|).",
             .onnx_operator = "Softsign",
             .math = pieces([](auto x, auto, auto) { return x / (decltype(x){1} + std::abs(x)); }),
             .onnx = [](const UnaryOp&, float x) { return x * (1.0F / (1.0F + std::abs(x))); }},
};
// clang-format on

constexpr bool rows_stand_at_their_kinds() {
  for (std::size_t i = 0; i < kUnaryRows.size(); ++i) {
    if (static_cast<std::size_t>(kUnaryRows[i].kind) != i) return false;
  }
  return true;
}
static_assert(rows_stand_at_their_kinds());

template <typename Condition>
const UnaryRow* find_row(Condition condition) {
  const auto* found = std::find_if(kUnaryRows.begin(), kUnaryRows.end(), condition);
  return found == kUnaryRows.end() ? nullptr : found;
}

}  // namespace

std::span<const UnaryRow> unary_rows() {
  return kUnaryRows;
}

const UnaryRow& unary_row(UnaryKind kind) {
  return kUnaryRows.at(static_cast<std::size_t>(kind));
}

const UnaryRow* find_onnx_unary(std::string_view onnx_operator, std::string_view approximation) {
  if (onnx_operator.empty()) return nullptr;
  return find_row([&](const UnaryRow& row) {
    return row.onnx_operator == onnx_operator &&
           (approximation.empty() || row.approximation == approximation);
  });
}

const UnaryRow* find_tflite_unary(int builtin_code, std::string_view approximation) {
  if (builtin_code < 0) return nullptr;
  return find_row([&](const UnaryRow& row) {
    return row.tflite.builtin_code == builtin_code &&
           (approximation.empty() || row.approximation == approximation);
  });
}

std::optional<Activation> activation_of(const UnaryOp& op) {
  const Activation always = unary_row(op.kind).activation;
  if (always != Activation::none) return always;
  if (op.kind != UnaryKind::clip) return std::nullopt;
  if (op.alpha == 0.0F && op.beta == 6.0F) return Activation::relu6;
  if (op.alpha == 0.0F && op.beta == kInfinity) return Activation::relu;
  if (op.alpha == -1.0F && op.beta == 1.0F) return Activation::relu_n1_to_1;
  return std::nullopt;
}

arithmetic::TableFunction unary_table(const UnaryOp& op, Semantics semantics, const QuantizedType& input,
                                      const QuantizedType& output) {
  const UnaryRow& row = unary_row(op.kind);
  if (semantics == Semantics::tflite) return row.tflite_table(op, input, output);
  return arithmetic::make_onnx_table(input, output,
                                     [function = row.onnx, &op](float x) { return function(op, x); });
}

std::string unary_obstacle(const UnaryOp& op, Semantics semantics, const QuantizedType& input,
                           const QuantizedType& output) {
  const UnaryRow& row = unary_row(op.kind);
  if (semantics == Semantics::onnx) return row.onnx == nullptr ? kNone : "";
  if (row.tflite_table == nullptr)
    return row.onnx == nullptr ? kNone : "integer arithmetic with \"onnx\" semantics only";
  if (row.tflite_obstacle != nullptr) {
    const std::string_view refused = row.tflite_obstacle(op, input, output);
    if (!refused.empty()) return std::string(refused);
  }
  const bool is_wide = input.format.bits > row.tflite_bits;
  return is_wide ? "integer arithmetic of at most 8 bits with \"tflite\" semantics" : "";
}

}  // namespace qsim
