// Elementwise operators, pooling, MEAN, SOFTMAX, QUANTIZE and DEQUANTIZE.
#include <algorithm>
#include <cmath>

#include "workloads/graph/graph_check.h"
#include "workloads/readers/tflite/graph_builder.h"
#include "workloads/readers/tflite/padding.h"

namespace qsim::tflite {
namespace {

bool is_power_of_two(const std::vector<float>& scales) {
  int exponent = 0;
  return scales.size() == 1 && std::frexp(scales[0], &exponent) == 0.5F;
}

}  // namespace

void OperatorReader::read_binary(BinaryKind kind) {
  expect_inputs(2, 2);
  expect_same_type(2);
  // INT16 ADD and SUB with power-of-two scales and this flag run a shift-only kernel that saturates
  // differently.
  const bool shift_kernel = kind != BinaryKind::mul && output().type == TypeCode::int16 &&
                            option<std::uint8_t>(binary_field::pot_scale_int16, 1) != 0 &&
                            is_power_of_two(input(0).scales) && is_power_of_two(input(1).scales) &&
                            is_power_of_two(output().scales);
  if (shift_kernel) {
    fail("pot_scale_int16", "true with scales that are all powers of two", "false",
         "convert the model with a current converter, which sets it to false");
  }
  add_node(BinaryOp{kind, activation(binary_field::activation)}, {use(0), use(1)});
}

void OperatorReader::read_pool(PoolKind kind) {
  expect_inputs(1, 1);
  expect_same_type(1);
  expect_same_scale(0);
  expect_rank(input(0), 4);
  const Shape& x = input(0).shape;
  Pool2dOp pool;
  pool.kind = kind;
  pool.stride_w = option<std::int32_t>(window_field::stride_w, 0);
  pool.stride_h = option<std::int32_t>(window_field::stride_h, 0);
  pool.kernel_w = option<std::int32_t>(pool_field::filter_w, 0);
  pool.kernel_h = option<std::int32_t>(pool_field::filter_h, 0);
  pool.activation = activation(pool_field::activation);
  for (const std::int64_t value : {pool.stride_h, pool.stride_w, pool.kernel_h, pool.kernel_w}) {
    if (value >= 1 && value <= kMaxWindowAttribute) continue;
    fail("window", "stride or kernel " + std::to_string(value),
         "1 to " + std::to_string(kMaxWindowAttribute));
  }
  const bool same = same_padding();
  const PaddingSizes h = padding_sizes(same, x[1], pool.kernel_h, pool.stride_h);
  const PaddingSizes v = padding_sizes(same, x[2], pool.kernel_w, pool.stride_w);
  pool.pad_top = h.before;
  pool.pad_bottom = h.after;
  pool.pad_left = v.before;
  pool.pad_right = v.after;
  add_node(pool, {use(0)});
}

void OperatorReader::read_mean() {
  expect_inputs(2, 2);
  expect_same_type(1);
  const auto rank = static_cast<std::int64_t>(input(0).shape.size());
  MeanOp mean;
  mean.keep_dims = option<std::uint8_t>(reducer_field::keep_dims, 0) != 0;
  for (const std::int64_t axis : indices(1, std::nullopt)) {
    const std::int64_t resolved = axis < 0 ? axis + rank : axis;
    if (resolved < 0 || resolved >= rank)
      fail("axis", std::to_string(axis), "less than " + std::to_string(rank));
    mean.axes.push_back(static_cast<int>(resolved));
  }
  std::sort(mean.axes.begin(), mean.axes.end());
  mean.axes.erase(std::unique(mean.axes.begin(), mean.axes.end()), mean.axes.end());
  add_node(mean, {use(0)});
}

void OperatorReader::read_softmax() {
  expect_inputs(1, 1);
  expect_same_type(1);
  constexpr double kTolerance = 0.001;
  if (output().type == TypeCode::int8) {
    expect_output_scale(1.0F / 256.0F, -128, kTolerance);
  } else if (output().type == TypeCode::int16) {
    expect_output_scale(1.0F / 32768.0F, 0, kTolerance);
  }
  const auto beta = option<float>(softmax_field::beta, 0.0F);
  if (!std::isfinite(beta) || beta <= 0.0F) fail("beta", std::to_string(beta), "a finite number above 0");
  add_node(SoftmaxOp{beta}, {use(0)});
}

void OperatorReader::read_unary(UnaryKind kind) {
  expect_inputs(1, 1);
  expect_same_type(1);
  const bool wide = output().type == TypeCode::int16;
  const bool narrow = output().type == TypeCode::int8;
  if (kind == UnaryKind::logistic && narrow && output().zero_points.size() == 1) {
    expect_output_scale(1.0F / 256.0F, output().zero_points[0], 0.0);
  }
  if ((kind == UnaryKind::logistic || kind == UnaryKind::tanh) && wide)
    expect_output_scale(1.0F / 32768.0F, 0, 0.0);
  const bool narrow_only = kind == UnaryKind::hard_swish || kind == UnaryKind::elu;
  if (narrow_only && wide) fail("tensor \"" + output().name + "\"", "INT16", "INT8, as the reference kernel");
  UnaryOp op{kind, kind == UnaryKind::elu ? 1.0F : 0.0F};
  if (kind == UnaryKind::clip) op.beta = 1.0F;  // RELU_0_TO_1
  if (kind == UnaryKind::leaky_relu) {
    op.alpha = option<float>(leaky_relu_field::alpha, 0.0F);
    if (!std::isfinite(op.alpha)) fail("alpha", std::to_string(op.alpha), "a finite number");
  }
  add_node(op, {use(0)});
}

void OperatorReader::read_quantize() {
  expect_inputs(1, 1);
  const auto is_supported = [](TypeCode type) {
    return type == TypeCode::int8 || type == TypeCode::int16 || type == TypeCode::uint8;
  };
  if (!is_supported(output().type))
    fail("tensor \"" + output().name + "\"", type_name(output().type), "INT8, UINT8 or INT16");
  if (input(0).type != TypeCode::float32 && !is_supported(input(0).type)) {
    fail("tensor \"" + input(0).name + "\"", type_name(input(0).type), "FLOAT32, INT8, UINT8 or INT16");
  }
  add_node(QuantizeOp{}, {use(0)});
}

void OperatorReader::read_dequantize() {
  expect_inputs(1, 1);
  if (output().type != TypeCode::float32)
    fail("tensor \"" + output().name + "\"", type_name(output().type), "FLOAT32");
  add_node(DequantizeOp{}, {use(0)});
}

}  // namespace qsim::tflite
