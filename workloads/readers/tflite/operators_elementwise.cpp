// ADD, SUB, MUL, MINIMUM, MAXIMUM, PRELU, SOFTMAX, QUANTIZE, DEQUANTIZE.
#include <cmath>

#include "workloads/readers/tflite/operator_context.h"
#include "workloads/readers/tflite/operator_table.h"

namespace qsim::tflite {
namespace {

bool is_power_of_two(const std::vector<float>& scales) {
  int exponent = 0;
  return scales.size() == 1 && std::frexp(scales[0], &exponent) == 0.5F;
}

void add_binary(OperatorContext& op, BinaryKind kind, file::ActivationCode activation) {
  op.add_node(BinaryOp{kind, op.activation(activation)}, {op.use(0), op.use(1)});
}

/// INT16 ADD and SUB with power-of-two scales and this flag run a shift-only kernel that saturates
/// differently.
void read_sum(OperatorContext& op, BinaryKind kind, const file::SumOptions* given) {
  op.expect_inputs(2, 2);
  op.expect_same_type(2);
  const file::SumOptions& options = or_defaults(given);
  const bool shift_kernel = op.output().type == ElementCode::INT16 && options.pot_scale_int16() &&
                            is_power_of_two(op.input(0).scales) && is_power_of_two(op.input(1).scales) &&
                            is_power_of_two(op.output().scales);
  if (shift_kernel) {
    op.fail("pot_scale_int16", "true with scales that are all powers of two", "false",
            "convert the model with a current converter, which sets it to false");
  }
  add_binary(op, kind, options.activation());
}

void read_add(OperatorContext& op) {
  read_sum(op, BinaryKind::add, op.table().builtin_options_as_Sum());
}

void read_sub(OperatorContext& op) {
  read_sum(op, BinaryKind::sub, op.table().builtin_options_as_Difference());
}

void read_mul(OperatorContext& op) {
  op.expect_inputs(2, 2);
  op.expect_same_type(2);
  add_binary(op, BinaryKind::mul, or_defaults(op.table().builtin_options_as_ProductOptions()).activation());
}

/// The kernels compare stored integers.
void read_extremum(OperatorContext& op, BinaryKind kind) {
  op.expect_inputs(2, 2);
  op.expect_same_type(2);
  op.expect_same_scale(0);
  op.expect_same_scale(1);
  add_binary(op, kind, file::ActivationCode::NONE);
}

void read_minimum(OperatorContext& op) {
  read_extremum(op, BinaryKind::min);
}

void read_maximum(OperatorContext& op) {
  read_extremum(op, BinaryKind::max);
}

/// Beside int16 activations the kernel reads slopes of int8.
void read_prelu(OperatorContext& op) {
  op.expect_inputs(2, 2);
  const bool wide = op.output().type == ElementCode::INT16;
  op.expect_same_type(wide ? 1 : 2);
  if (wide && op.input(1).type != ElementCode::INT8)
    op.fail("slope \"" + op.input(1).name + "\"", type_name(op.input(1).type),
            "INT8 beside INT16, as the kernel reads it");
  op.add_node(PReluOp{}, {op.use(0), op.use(1)});
}

void read_softmax(OperatorContext& op) {
  op.expect_inputs(1, 1);
  op.expect_same_type(1);
  constexpr double kTolerance = 0.001;
  if (op.output().type == ElementCode::INT8) {
    op.expect_output_scale(1.0F / 256.0F, -128, kTolerance);
  } else if (op.output().type == ElementCode::INT16) {
    op.expect_output_scale(1.0F / 32768.0F, 0, kTolerance);
  }
  const float beta = or_defaults(op.table().builtin_options_as_ExponentOptions()).beta();
  if (!std::isfinite(beta) || beta <= 0.0F) op.fail("beta", std::to_string(beta), "a finite number above 0");
  op.add_node(SoftmaxOp{beta}, {op.use(0)});
}

bool is_quantized_type(ElementCode type) {
  return type == ElementCode::INT8 || type == ElementCode::INT16 || type == ElementCode::UINT8;
}

void read_quantize(OperatorContext& op) {
  op.expect_inputs(1, 1);
  const ModelTensor& x = op.input(0);
  const ModelTensor& y = op.output();
  if (!is_quantized_type(y.type))
    op.fail("tensor \"" + y.name + "\"", type_name(y.type), "INT8, UINT8 or INT16");
  if (x.type != ElementCode::FLOAT32 && !is_quantized_type(x.type))
    op.fail("tensor \"" + x.name + "\"", type_name(x.type), "FLOAT32, INT8, UINT8 or INT16");
  op.add_node(QuantizeOp{}, {op.use(0)});
}

void read_dequantize(OperatorContext& op) {
  op.expect_inputs(1, 1);
  if (!op.is_float()) op.fail("tensor \"" + op.output().name + "\"", type_name(op.output().type), "FLOAT32");
  op.add_node(DequantizeOp{}, {op.use(0)});
}

}  // namespace

std::span<const OperatorRow> elementwise_operators() {
  static constexpr OperatorRow kRows[] = {
      {.code = 0, .name = "ADD", .read = read_add},
      {.code = 6, .name = "DEQUANTIZE", .read = read_dequantize},
      {.code = 18, .name = "MUL", .read = read_mul},
      {.code = 25, .name = "SOFTMAX", .read = read_softmax},
      {.code = 41, .name = "SUB", .read = read_sub},
      {.code = 50, .name = "LOG_SOFTMAX"},  // Known by its name alone.
      {.code = 54, .name = "PRELU", .read = read_prelu},
      {.code = 55, .name = "MAXIMUM", .read = read_maximum},
      {.code = 57, .name = "MINIMUM", .read = read_minimum},
      {.code = 114, .name = "QUANTIZE", .read = read_quantize},
  };
  return kRows;
}

}  // namespace qsim::tflite
