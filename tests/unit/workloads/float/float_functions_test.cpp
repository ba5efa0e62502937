// Float operations against values worked out by hand or taken from the definitions (named beside each).
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "float_graph.h"

using namespace qsim;

namespace {

void check_close(const std::vector<float>& actual, const std::vector<double>& expected,
                 double tolerance = 1e-6) {
  REQUIRE(actual.size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    INFO("element " << i);
    CHECK(static_cast<double>(actual[i]) == Approx(expected[i]).epsilon(tolerance).margin(tolerance));
  }
}

std::vector<float> unary(UnaryKind kind, const std::vector<float>& x, float alpha = 0, float beta = 0) {
  const Shape shape{static_cast<std::int64_t>(x.size())};
  UnaryOp op;
  op.kind = kind;
  op.alpha = alpha;
  op.beta = beta;
  return run_float_op(op, float_data(shape, x), shape);
}

std::vector<float> binary(BinaryKind kind, const TensorData& a, const TensorData& b, const Shape& y) {
  FloatGraph maker;
  const TensorId left = maker.add_input(a.shape);
  const TensorId right = maker.add_input(b.shape);
  maker.add_node(BinaryOp{kind, Activation::none}, {left, right}, y);
  return values_of(maker.run({a, b}));
}

}  // namespace

TEST_CASE("unary float functions have the values of tables") {
  // Of erf, exp, tanh and log to ten digits: Abramowitz & Stegun, tables 4.4, 4.16, 7.1.
  check_close(unary(UnaryKind::erf, {-1, 0, 0.5F, 2}), {-0.8427007929, 0, 0.5204998778, 0.9953222650});
  check_close(unary(UnaryKind::exp, {-1, 0, 1}), {0.3678794412, 1, 2.7182818285});
  check_close(unary(UnaryKind::log, {1, 2, 10}), {0, 0.6931471806, 2.3025850930});
  check_close(unary(UnaryKind::tanh, {-1, 0, 0.5F}), {-0.7615941560, 0, 0.4621171573});
  check_close(unary(UnaryKind::logistic, {-1, 0, 1}), {0.2689414214, 0.5, 0.7310585786});
  // x Phi(x), Phi from table 26.1: Phi(1) = 0.8413447461, Phi(2) = 0.9772498681
  check_close(unary(UnaryKind::gelu, {-1, 0, 1, 2}), {-0.1586552539, 0, 0.8413447461, 1.9544997361});
  // tanh(0.7978845608 * 1.044715) = tanh(0.8335620...) = 0.6823840
  check_close(unary(UnaryKind::gelu_tanh, {-1, 0, 1}), {-0.1588080, 0, 0.8411920});
  check_close(unary(UnaryKind::elu, {-1, 0, 2}, 1.5F), {1.5 * (0.3678794412 - 1), 0, 2});
  check_close(unary(UnaryKind::softplus, {-1, 0, 1, 1000}), {0.3132616875, 0.6931471806, 1.3132616875, 1000});
}

TEST_CASE("piecewise float functions are exact") {
  using Values = std::vector<float>;
  CHECK(unary(UnaryKind::leaky_relu, {-8, 0, 3}, 0.25F) == Values{-2, 0, 3});
  CHECK(unary(UnaryKind::relu, {-8, 0, 3}) == Values{0, 0, 3});
  CHECK(unary(UnaryKind::relu6, {-8, 3, 7}) == Values{0, 3, 6});
  CHECK(unary(UnaryKind::relu_n1_to_1, {-8, 0.5F, 7}) == Values{-1, 0.5F, 1});
  CHECK(unary(UnaryKind::hard_swish, {-4, -1.5F, 3, 8}) == Values{0, -0.375F, 3, 8});
  CHECK(unary(UnaryKind::hard_sigmoid, {-4, 0, 1, 8}, 0.25F, 0.5F) == Values{0, 0.5F, 0.75F, 1});
  CHECK(unary(UnaryKind::clip, {-4, 0, 1, 8}, -2, 5) == Values{-2, 0, 1, 5});
  CHECK(unary(UnaryKind::sqrt, {0, 4, 2.25F}) == Values{0, 2, 1.5F});
  CHECK(unary(UnaryKind::reciprocal, {4, -0.5F}) == Values{0.25F, -2});
  CHECK(unary(UnaryKind::neg, {4, -0.5F}) == Values{-4, 0.5F});
  CHECK(unary(UnaryKind::abs, {4, -0.5F}) == Values{4, 0.5F});
  CHECK(unary(UnaryKind::floor, {1.5F, -1.5F}) == Values{1, -2});
  CHECK(unary(UnaryKind::ceil, {1.5F, -1.5F}) == Values{2, -1});
}

TEST_CASE("float binary operations broadcast") {
  const TensorData a = float_data({2, 1, 2}, {1, 2, 3, 4});
  const TensorData b = float_data({2, 1}, {10, 20});
  using Values = std::vector<float>;
  CHECK(binary(BinaryKind::add, a, b, {2, 2, 2}) == Values{11, 12, 21, 22, 13, 14, 23, 24});
  CHECK(binary(BinaryKind::sub, a, b, {2, 2, 2}) == Values{-9, -8, -19, -18, -7, -6, -17, -16});
  CHECK(binary(BinaryKind::mul, a, b, {2, 2, 2}) == Values{10, 20, 20, 40, 30, 40, 60, 80});
  CHECK(binary(BinaryKind::div, b, float_data({1}, {4}), {2, 1}) == Values{2.5F, 5});
  CHECK(binary(BinaryKind::min, a, float_data({}, {2.5F}), {2, 1, 2}) == Values{1, 2, 2.5F, 2.5F});
  CHECK(binary(BinaryKind::max, a, float_data({}, {2.5F}), {2, 1, 2}) == Values{2.5F, 2.5F, 3, 4});
  CHECK(binary(BinaryKind::pow, a, float_data({}, {2}), {2, 1, 2}) == Values{1, 4, 9, 16});
}

TEST_CASE("float pooling leaves padding out, or counts it where asked") {
  // 1 2 3
  // 4 5 6   3x3 windows at stride 2, one row and column of padding all around
  // 7 8 9
  const TensorData x = float_data({1, 3, 3, 1}, {1, 2, 3, 4, 5, 6, 7, 8, 9});
  Pool2dOp op;
  op.kernel_h = op.kernel_w = 3;
  op.stride_h = op.stride_w = 2;
  op.pad_top = op.pad_bottom = op.pad_left = op.pad_right = 1;
  CHECK(run_float_op(op, x, {1, 2, 2, 1}) == std::vector<float>{5, 6, 8, 9});
  op.kind = PoolKind::average;
  CHECK(run_float_op(op, x, {1, 2, 2, 1}) == std::vector<float>{3, 4, 6, 7});
  op.count_include_pad = true;
  check_close(run_float_op(op, x, {1, 2, 2, 1}), {12. / 9, 16. / 9, 24. / 9, 28. / 9});
}

TEST_CASE("a counted window ends at the padded input") {
  // Kernel 2, stride 2 over 3 elements with one of padding behind: the second window has 3 and the padding.
  Pool2dOp op;
  op.kind = PoolKind::average;
  op.kernel_w = op.stride_w = 2;
  op.pad_right = 1;
  const TensorData x = float_data({1, 1, 3, 1}, {1, 2, 3});
  CHECK(run_float_op(op, x, {1, 1, 2, 1}) == std::vector<float>{1.5F, 3});
  op.count_include_pad = true;
  CHECK(run_float_op(op, x, {1, 1, 2, 1}) == std::vector<float>{1.5F, 1.5F});
}

TEST_CASE("float means, softmax and norms") {
  const TensorData x = float_data({2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8});
  CHECK(run_float_op(MeanOp{{0, 2}, false}, x, {2}) == std::vector<float>{3.5F, 5.5F});
  CHECK(run_float_op(MeanOp{{1}, true}, x, {2, 1, 2}) == std::vector<float>{2, 3, 6, 7});
  // softmax of (0, log 3) is (1/4, 3/4); large values do not overflow
  check_close(run_float_op(SoftmaxOp{1}, float_data({2, 2}, {0, 1.0986123F, 1000, 1001.0986123F}), {2, 2}),
              {0.25, 0.75, 0.25, 0.75}, 1e-4);
  // (1, 3): mean 2, variance 1
  FloatGraph maker;
  const TensorId input = maker.add_input({1, 2});
  const TensorId gamma = maker.add_constant(float_data({2}, {2, 3}));
  const TensorId beta = maker.add_constant(float_data({2}, {0.5F, -0.5F}));
  maker.add_node(LayerNormOp{0.0F}, {input, gamma, beta}, {1, 2});
  CHECK(values_of(maker.run({float_data({1, 2}, {1, 3})})) == std::vector<float>{-1.5F, 2.5F});
}

TEST_CASE("batch norm and PReLU have parameters by channel") {
  FloatGraph norm;
  const TensorId x = norm.add_input({2, 2});
  const TensorId scale = norm.add_constant(float_data({2}, {2, 0.5F}));
  const TensorId shift = norm.add_constant(float_data({2}, {1, -1}));
  norm.add_node(BatchNormOp{}, {x, scale, shift}, {2, 2});
  CHECK(values_of(norm.run({float_data({2, 2}, {1, 2, 3, 4})})) == std::vector<float>{3, 0, 7, 1});
  FloatGraph prelu;
  const TensorId input = prelu.add_input({2, 2});
  const TensorId slope = prelu.add_constant(float_data({2}, {0.5F, 2}));
  prelu.add_node(PReluOp{}, {input, slope}, {2, 2});
  CHECK(values_of(prelu.run({float_data({2, 2}, {-1, -1, 3, 4})})) == std::vector<float>{-0.5F, -2, 3, 4});
}

namespace {

TensorData dynamic(DynamicResult result, const TensorData& x) {
  FloatGraph maker;
  const TensorId input = maker.add_input(x.shape);
  const TensorId y =
      maker.add_node(DynamicQuantizeOp{result}, {input}, dynamic_result_shape(result, x.shape));
  Tensor& output = maker.graph.tensor(y);
  output.quantization = dynamic_result_quantization(result);
  if (output.quantization) output.type = output.quantization->bits == 8 ? ElementType::u8 : ElementType::i16;
  validate(maker.graph);
  return maker.run({x});
}

std::vector<std::int64_t> integers_of(const TensorData& data) {
  std::vector<std::int64_t> values;
  for (std::int64_t i = 0; i < data.size(); ++i) values.push_back(data.at(i));
  return values;
}

}  // namespace

TEST_CASE("a tensor is quantized by its own range, with 0 in it") {
  using Integers = std::vector<std::int64_t>;
  // Range -1 .. 2: s = 3 / 255, z = rne(255 / 3) = 85.
  const TensorData x = float_data({2, 2}, {-1, 2, 0, 1});
  CHECK(values_of(dynamic(DynamicResult::scale, x)) == std::vector<float>{3.0F / 255.0F});
  CHECK(integers_of(dynamic(DynamicResult::zero_point, x)) == Integers{85});
  CHECK(integers_of(dynamic(DynamicResult::values, x)) == Integers{0, 255, 85, 170});
  CHECK(integers_of(dynamic(DynamicResult::differences, x)) == Integers{-85, 170, 0, 85});
  // Halves go to even: s = 1.
  CHECK(integers_of(dynamic(DynamicResult::values, float_data({4}, {0.5F, 1.5F, 2.5F, 255}))) ==
        Integers{0, 2, 2, 255});
  // Only above or below 0, and nothing but 0.
  CHECK(integers_of(dynamic(DynamicResult::zero_point, float_data({1}, {510}))) == Integers{0});
  CHECK(integers_of(dynamic(DynamicResult::zero_point, float_data({1}, {-510}))) == Integers{255});
  CHECK(integers_of(dynamic(DynamicResult::values, float_data({2}, {-510, 0}))) == Integers{0, 255});
  CHECK(values_of(dynamic(DynamicResult::scale, float_data({1}, {0}))) == std::vector<float>{1});
  CHECK(integers_of(dynamic(DynamicResult::values, float_data({1}, {0}))) == Integers{0});
}

TEST_CASE("what is no number has an integer nevertheless") {
  const float infinity = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const float low : {0.0F, -infinity, nan}) {
    const TensorData x = float_data({3}, {low, infinity, nan});
    CHECK(integers_of(dynamic(DynamicResult::values, x)).size() == 3);
    CHECK(integers_of(dynamic(DynamicResult::differences, x)).size() == 3);
  }
}

TEST_CASE("the logarithm of a softmax reaches below what its float32 quotient holds") {
  // ln(1 / (1 + e^-200)) = 0 and -200 to double precision; e^-200 is no float32.
  const SoftmaxOp op{1.0F, true};
  CHECK(run_float_op(op, float_data({1, 2}, {300, 100}), {1, 2}) == std::vector<float>{0, -200});
  check_close(run_float_op(op, float_data({1, 2}, {1, 1}), {1, 2}), {-std::log(2.0), -std::log(2.0)});
}

TEST_CASE("padding, slices, transposes and joins move floats") {
  const TensorData x = float_data({2, 2}, {1, 2, 3, 4});
  PadOp pad{{0, 1}, {1, 0}, 0, -7.5F};
  CHECK(run_float_op(pad, x, {3, 3}) == std::vector<float>{-7.5F, 1, 2, -7.5F, 3, 4, -7.5F, -7.5F, -7.5F});
  CHECK(run_float_op(StridedSliceOp{{1, 1}, {-1, 1}, {2, 1}}, x, {2, 1}) == std::vector<float>{4, 2});
  CHECK(run_float_op(TransposeOp{{1, 0}}, x, {2, 2}) == std::vector<float>{1, 3, 2, 4});
  FloatGraph maker;
  const TensorId a = maker.add_input({2, 2});
  const TensorId b = maker.add_input({2, 1});
  maker.add_node(ConcatOp{1}, {a, b}, {2, 3});
  CHECK(values_of(maker.run({x, float_data({2, 1}, {8, 9})})) == std::vector<float>{1, 2, 8, 3, 4, 9});
}

TEST_CASE("resizing has the values of the ONNX operator's published examples") {
  const TensorData x = float_data({1, 2, 2, 1}, {1, 2, 3, 4});
  ResizeOp op;
  op.scale_h = op.scale_w = 2.0F;
  op.mode = ResizeMode::linear;  // resize_upsample_scales_linear
  check_close(run_float_op(op, x, {1, 4, 4, 1}),
              {1, 1.25, 1.75, 2, 1.5, 1.75, 2.25, 2.5, 2.5, 2.75, 3.25, 3.5, 3, 3.25, 3.75, 4});
  op.coordinates = ResizeCoordinates::align_corners;  // resize_upsample_scales_linear_align_corners
  check_close(run_float_op(op, x, {1, 4, 4, 1}), {1, 4. / 3, 5. / 3, 2, 5. / 3, 2, 7. / 3, 8. / 3, 7. / 3,
                                                  8. / 3, 3, 10. / 3, 3, 10. / 3, 11. / 3, 4});
  op.mode = ResizeMode::nearest;  // resize_upsample_scales_nearest
  op.coordinates = ResizeCoordinates::half_pixel;
  op.scale_w = 3.0F;
  CHECK(run_float_op(op, x, {1, 4, 6, 1}) ==
        std::vector<float>{1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 3, 3, 3, 4, 4, 4});
}

TEST_CASE("nearest resizing rounds as its rounding says") {
  // Asymmetric positions o / 2 of four outputs: 0, 0.5, 1, 1.5.
  const TensorData x = float_data({1, 1, 2, 1}, {10, 20});
  ResizeOp op;
  op.coordinates = ResizeCoordinates::asymmetric;
  op.scale_w = 2.0F;
  const auto run = [&](ResizeRounding rounding) {
    op.rounding = rounding;
    return run_float_op(op, x, {1, 1, 4, 1}, Semantics::onnx);  // TFLite has one rounding.
  };
  CHECK(run(ResizeRounding::floor) == std::vector<float>{10, 10, 20, 20});
  CHECK(run(ResizeRounding::ceil) == std::vector<float>{10, 20, 20, 20});
  CHECK(run(ResizeRounding::round_prefer_floor) == std::vector<float>{10, 10, 20, 20});
  CHECK(run(ResizeRounding::round_prefer_ceil) == std::vector<float>{10, 20, 20, 20});
}
