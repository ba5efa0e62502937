// Functions of one element.
#include <cmath>

#include "workloads/readers/tflite/operator_context.h"
#include "workloads/readers/tflite/operator_table.h"

namespace qsim::tflite {
namespace {

void add_unary(OperatorContext& op, UnaryOp node) {
  op.expect_inputs(1, 1);
  op.expect_same_type(1);
  const UnaryKind kind = node.kind;
  const bool wide = op.output().type == ElementCode::INT16;
  const bool narrow = op.output().type == ElementCode::INT8;
  if (kind == UnaryKind::logistic && narrow && op.output().zero_points.size() == 1) {
    op.expect_output_scale(1.0F / 256.0F, op.output().zero_points[0], 0.0);
  }
  if ((kind == UnaryKind::logistic || kind == UnaryKind::tanh) && wide)
    op.expect_output_scale(1.0F / 32768.0F, 0, 0.0);
  const bool narrow_only = kind == UnaryKind::hard_swish || kind == UnaryKind::elu;
  if (narrow_only && wide)
    op.fail("tensor \"" + op.output().name + "\"", "INT16", "INT8, as the reference kernel");
  op.add_node(node, {op.use(0)});
}

template <UnaryKind kKind>
void read_unary(OperatorContext& op) {
  add_unary(op, {kKind, kKind == UnaryKind::elu ? 1.0F : 0.0F});
}

void read_relu_0_to_1(OperatorContext& op) {
  UnaryOp node{UnaryKind::clip, 0.0F};
  node.beta = 1.0F;
  add_unary(op, node);
}

void read_leaky_relu(OperatorContext& op) {
  const float alpha = or_defaults(op.table().builtin_options_as_SlopeOptions()).alpha();
  if (!std::isfinite(alpha)) op.fail("alpha", std::to_string(alpha), "a finite number");
  add_unary(op, {UnaryKind::leaky_relu, alpha});
}

void read_gelu(OperatorContext& op) {
  const bool approximate = or_defaults(op.table().builtin_options_as_ApproximationOptions()).approximate();
  add_unary(op, {approximate ? UnaryKind::gelu_tanh : UnaryKind::gelu, 0.0F});
}

}  // namespace

std::span<const OperatorRow> unary_operators() {
  static constexpr OperatorRow kRows[] = {
      {.code = 14, .name = "LOGISTIC", .read = read_unary<UnaryKind::logistic>},
      {.code = 19, .name = "RELU", .read = read_unary<UnaryKind::relu>},
      {.code = 20, .name = "RELU_N1_TO_1", .read = read_unary<UnaryKind::relu_n1_to_1>},
      {.code = 21, .name = "RELU6", .read = read_unary<UnaryKind::relu6>},
      {.code = 28, .name = "TANH", .read = read_unary<UnaryKind::tanh>},
      {.code = 98, .name = "LEAKY_RELU", .read = read_leaky_relu},
      {.code = 111, .name = "ELU", .read = read_unary<UnaryKind::elu>},
      {.code = 117, .name = "HARD_SWISH", .read = read_unary<UnaryKind::hard_swish>},
      {.code = 150, .name = "GELU", .read = read_gelu},
      {.code = 152, .name = "RELU_0_TO_1", .read = read_relu_0_to_1},
  };
  return kRows;
}

}  // namespace qsim::tflite
