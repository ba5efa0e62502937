#include "workloads/ops/binary.h"

#include <algorithm>
#include <cmath>

#include "hw_models/arithmetic/onnx_functions.h"
#include "hw_models/arithmetic/tflite_functions.h"
#include "workloads/graph/blocks.h"
#include "workloads/graph/broadcast.h"
#include "workloads/ops/block_rows.h"
#include "workloads/ops/definition.h"
#include "workloads/ops/fields.h"
#include "workloads/ops/node_check.h"
#include "workloads/ops/operand_types.h"

namespace qsim {
namespace {

using arithmetic::FloatBinaryKind;
using arithmetic::QuantizedType;

/// y = f(a, b), both repeated where the output's shape asks for it.
template <typename Function>
void combine(const NodeRun& run, Function f) {
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

/// A single float32 operation.
template <typename F>
void run_operation(const NodeRun& run, const FloatClamp& clamp) {
  combine(run, [clamp](float a, float b) { return clamp(F{}(a, b)); });
}
template <typename Real, typename F>
Real operation(Real a, Real b) {
  return F{}(a, b);
}

using Add = decltype([](auto a, auto b) { return a + b; });
using Sub = decltype([](auto a, auto b) { return a - b; });
using Mul = decltype([](auto a, auto b) { return a * b; });
using Div = decltype([](auto a, auto b) { return a / b; });
using Min = decltype([](auto a, auto b) { return std::min(a, b); });
using Max = decltype([](auto a, auto b) { return std::max(a, b); });
/// In double, rounded once.
using Pow = decltype([](float a, float b) {
  return static_cast<float>(std::pow(static_cast<double>(a), static_cast<double>(b)));
});

// clang-format off
constexpr std::array kBinaryRows{
    BinaryRow{.kind = BinaryKind::add, .name = "add",
              .description = "Sum of two tensors, element by element.", .onnx_operator = "Add",
              .run_float = run_operation<Add>, .onnx = FloatBinaryKind::add,
              .single = operation<float, Add>, .real = operation<double, Add>},
    BinaryRow{.kind = BinaryKind::sub, .name = "sub",
              .description = "Difference of two tensors, element by element.", .onnx_operator = "Sub",
              .run_float = run_operation<Sub>, .onnx = FloatBinaryKind::sub,
              .single = operation<float, Sub>, .real = operation<double, Sub>},
    BinaryRow{.kind = BinaryKind::mul, .name = "mul",
              .description = "Product of two tensors, element by element.", .onnx_operator = "Mul",
              .run_float = run_operation<Mul>, .onnx = FloatBinaryKind::mul,
              .single = operation<float, Mul>, .real = operation<double, Mul>},
    BinaryRow{.kind = BinaryKind::div, .name = "div",
              .description = "Quotient of two tensors, element by element. Float tensors only.",
              .onnx_operator = "Div", .run_float = run_operation<Div>, .is_float_only = true},
    BinaryRow{.kind = BinaryKind::min, .name = "min",
              .description = "The smaller of two, element by element.", .onnx_operator = "Min",
              .run_float = run_operation<Min>, .compares = true, .onnx = FloatBinaryKind::min},
    BinaryRow{.kind = BinaryKind::max, .name = "max",
              .description = "The larger of two, element by element.", .onnx_operator = "Max",
              .run_float = run_operation<Max>, .compares = true, .onnx = FloatBinaryKind::max},
    BinaryRow{.kind = BinaryKind::pow, .name = "pow",
              .description = "The first to the power of the second, element by element. Float tensors only.",
              .onnx_operator = "Pow", .run_float = run_operation<Pow>, .is_float_only = true},
};
// clang-format on

constexpr bool rows_stand_at_their_kinds() {
  for (std::size_t i = 0; i < kBinaryRows.size(); ++i) {
    if (static_cast<std::size_t>(kBinaryRows[i].kind) != i) return false;
  }
  return true;
}
static_assert(rows_stand_at_their_kinds());

const std::vector<OpForm>& forms() {
  static const std::vector<OpForm> kBinaryForms = [] {
    std::vector<OpForm> made;
    for (const BinaryRow& row : kBinaryRows) made.push_back({row.name, row.description, BinaryOp{row.kind}});
    return made;
  }();
  return kBinaryForms;
}

std::size_t binary_form(const Graph& /*graph*/, const Node& node) {
  return static_cast<std::size_t>(std::get<BinaryOp>(node.op).kind);
}

void binary_fields(BinaryOp& op, OpFields& fields) {
  fields.activation(op.activation);
}

InferredShape binary_shape(const BinaryOp& /*op*/, std::span<const Shape> inputs,
                           const std::optional<Shape>& /*declared*/) {
  return broadcast_shapes(inputs[0], inputs[1]);
}

void check_binary(const BinaryOp& op, NodeCheck& check) {
  const BinaryRow& row = binary_row(op.kind);
  if (row.is_float_only) check.expect_float_only();
  check.expect_activation(check.input(0));
  check.expect_activation(check.input(1));
  check.expect_activation(check.output());
  expect_block_form(check);
  if (row.compares && check.graph().semantics == Semantics::tflite) {
    for (const std::size_t i : {0, 1}) check.expect_same_scale(check.input(i));
  }
  const Shape& a = check.input(0).shape;
  const Shape& b = check.input(1).shape;
  const InferredShape inferred = broadcast_shapes(a, b);
  if (!check.expect(inferred.ok(), "operands", "shapes " + to_string(a) + " and " + to_string(b),
                    "equal dimensions, or 1 where one of them is repeated")) {
    return;
  }
  check.expect_shape(check.output(), inferred.shape);
}

// s_a / s_y, s_b / s_y, and s_a * s_b / s_y of a product
void check_binary_scales(const BinaryOp& op, NodeCheck& check) {
  const float a = check.input(0).quantization->scale();
  const float b = check.input(1).quantization->scale();
  const float y = check.output().quantization->scale();
  if (op.kind == BinaryKind::mul) {
    check.expect_quotient(a * b / y, "product of the input scales / output scale");
  } else if (check.expect_quotient(a / y, "first input scale / output scale")) {
    check.expect_quotient(b / y, "second input scale / output scale");
  }
}

OutputGrid binary_grid(const BinaryOp& op, Semantics semantics) {
  const bool compares = semantics == Semantics::tflite && binary_row(op.kind).compares;
  return compares ? OutputGrid::compared : OutputGrid::own;
}

std::string binary_obstacle(const Graph& /*graph*/, const Node& node) {
  const bool none = binary_row(std::get<BinaryOp>(node.op).kind).is_float_only;
  return none ? "no integer arithmetic for this operation" : "";
}

arithmetic::BinaryFunction tflite_binary(const BinaryOp& op, const QuantizedType& a, const QuantizedType& b,
                                         const QuantizedType& y, const ClampRange& limits) {
  if (op.kind == BinaryKind::mul) return arithmetic::make_tflite_mul(a, b, y, limits);
  if (binary_row(op.kind).compares) {
    return arithmetic::TfliteExtremumFunction{op.kind == BinaryKind::max, limits.min, limits.max};
  }
  return arithmetic::make_tflite_add(a, b, y, limits, op.kind == BinaryKind::sub);
}

/// QLinearAdd and QLinearMul take operands of 8 bits; everything else is float32.
arithmetic::BinaryFunction onnx_binary(FloatBinaryKind kind, const QuantizedType& a, const QuantizedType& b,
                                       const QuantizedType& y, const ClampRange& limits) {
  const bool narrow = a.format.bits <= 8 && b.format.bits <= 8 && y.format.bits <= 8;
  if (narrow && kind == FloatBinaryKind::mul) {
    return arithmetic::OnnxMulFunction{a.scale,      b.scale,      y.scale,    a.zero_point,
                                       b.zero_point, y.zero_point, limits.min, limits.max};
  }
  if (narrow && kind == FloatBinaryKind::add) {
    return arithmetic::OnnxAddFunction{a.scale,      b.scale,      y.scale,    a.zero_point,
                                       b.zero_point, y.zero_point, limits.min, limits.max};
  }
  return arithmetic::make_onnx_float_binary(kind, a, b, y, limits);
}

struct BinaryTypes {
  QuantizedType a, b, y;
  ClampRange limits;
  BinaryTypes(const Graph& graph, const Node& node)
      : a(quantized_type(graph.tensor(node.inputs[0]))),
        b(quantized_type(graph.tensor(node.inputs[1]))),
        y(quantized_type(graph.tensor(node.outputs[0]))),
        limits(output_clamp(graph, node)) {}
};

arithmetic::VectorFunction binary_function(const Graph& graph, const Node& node, std::size_t /*input*/) {
  if (has_blocks(graph.tensor(node.outputs[0]))) return arithmetic::RowFunction(*block_function(graph, node));
  const BinaryTypes t(graph, node);
  const auto& op = std::get<BinaryOp>(node.op);
  return graph.semantics == Semantics::tflite
             ? tflite_binary(op, t.a, t.b, t.y, t.limits)
             : onnx_binary(binary_row(op.kind).onnx, t.a, t.b, t.y, t.limits);
}

template <typename Concrete>
VectorAccess broadcast_access(const Concrete& /*op*/) {
  return {.pattern = AccessPattern::broadcast};
}

void run_float_binary(const NodeRun& run) {
  const auto& op = std::get<BinaryOp>(run.node.op);
  binary_row(op.kind).run_float(run, FloatClamp(op.activation));
}

// ---- parametric ReLU -------------------------------------------------------------------------------------

const std::array kPReluForms{OpForm{"prelu", "x where positive, slope * x elsewhere.", PReluOp{}}};

void check_prelu(const PReluOp& /*op*/, NodeCheck& check) {
  check.expect_activation(check.input(0));
  check.expect_activation(check.input(1));
  check.expect_activation(check.output());
  check.expect_same_shape();
  const std::string subject = "slope \"" + check.input(1).name + "\"";
  check.expect(check.input(1).is_constant(), subject, "a tensor computed by the network", "a constant");
  const Shape& x = check.input(0).shape;
  const Shape& slope = check.input(1).shape;
  const InferredShape inferred = broadcast_shapes(x, slope);
  check.expect(inferred.ok() && inferred.shape == x, subject, "shape " + to_string(slope),
               "a shape that is repeated to the input's " + to_string(x));
}

OutputGrid prelu_grid(const PReluOp& /*op*/, Semantics /*semantics*/) {
  return OutputGrid::follows;
}

arithmetic::VectorFunction prelu_function(const Graph& graph, const Node& node, std::size_t /*input*/) {
  const BinaryTypes t(graph, node);
  return graph.semantics == Semantics::tflite
             ? arithmetic::BinaryFunction(arithmetic::make_tflite_prelu(t.a, t.b, t.y))
             : onnx_binary(FloatBinaryKind::prelu, t.a, t.b, t.y, t.limits);
}

void run_float_prelu(const NodeRun& run) {
  combine(run, [](float x, float slope) { return x < 0.0F ? slope * x : x; });
}

bool prelu_keeps_factors(const PReluOp& /*op*/, const Shape& /*input*/) {
  return true;
}

}  // namespace

std::span<const BinaryRow> binary_rows() {
  return kBinaryRows;
}

const BinaryRow& binary_row(BinaryKind kind) {
  return kBinaryRows.at(static_cast<std::size_t>(kind));
}

extern const OpDefinition kBinary{.forms = forms(),
                                  .form = binary_form,
                                  .operands = {2, 2},
                                  .inputs_description = "Both operands; shapes are broadcast.",
                                  .constants_are_activations = true,
                                  .fields = column<binary_fields>,
                                  .shape = column<binary_shape>,
                                  .check = column<check_binary>,
                                  .check_scales = column<check_binary_scales>,
                                  .grid = column<binary_grid>,
                                  .obstacle = binary_obstacle,
                                  .function = binary_function,
                                  .access = column<broadcast_access<BinaryOp>>,
                                  .run_float = run_float_binary};

extern const OpDefinition kPRelu{.forms = kPReluForms,
                                 .operands = {2, 2},
                                 .inputs_description = "x, and the slope: a constant that is broadcast to x.",
                                 .shape_operands = 1,
                                 .constants_are_activations = true,
                                 .check = column<check_prelu>,
                                 .grid = column<prelu_grid>,
                                 .keeps_factors = column<prelu_keeps_factors>,
                                 .function = prelu_function,
                                 .access = column<broadcast_access<PReluOp>>,
                                 .run_float = run_float_prelu};

}  // namespace qsim
