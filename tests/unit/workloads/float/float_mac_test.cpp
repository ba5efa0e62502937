// Convolutions of float tensors against the sums that define them, in double.
#include <catch2/catch.hpp>
#include <cmath>

#include "float_graph.h"
#include "workloads/graph/shape_inference.h"

using namespace qsim;

namespace {

struct Problem2d {
  std::int64_t batch, height, width, group_channels, group_outputs, kernel_h, kernel_w;
  Conv2dOp op;
};

Problem2d draw_problem(FloatGraph& maker) {
  Problem2d p{maker.draw(1, 2), maker.draw(5, 9), maker.draw(5, 9), maker.draw(1, 5),
              maker.draw(1, 6), maker.draw(1, 3), maker.draw(1, 3), {}};
  p.op = {maker.draw(1, 3), maker.draw(1, 2), maker.draw(1, 2), maker.draw(1, 2), maker.draw(0, 2),
          maker.draw(0, 1), maker.draw(0, 2), maker.draw(0, 1), maker.draw(1, 4), Activation::none};
  return p;
}

/// y[b][oy][ox][n] = bias[n] + sum x[b][oy*s - pad + ky*d][..][group channel c] * w[n][ky][kx][c]
std::vector<double> defined_convolution(const Problem2d& p, const TensorData& x, const TensorData& w,
                                        const TensorData& bias, const Shape& y) {
  std::vector<double> result;
  const std::int64_t channels = p.group_channels * p.op.groups;
  for (std::int64_t b = 0; b < y[0]; ++b)
    for (std::int64_t oy = 0; oy < y[1]; ++oy)
      for (std::int64_t ox = 0; ox < y[2]; ++ox)
        for (std::int64_t n = 0; n < y[3]; ++n) {
          double sum = static_cast<double>(bias.as<float>()[static_cast<std::size_t>(n)]);
          for (std::int64_t ky = 0; ky < p.kernel_h; ++ky)
            for (std::int64_t kx = 0; kx < p.kernel_w; ++kx)
              for (std::int64_t c = 0; c < p.group_channels; ++c) {
                const std::int64_t iy = oy * p.op.stride_h - p.op.pad_top + ky * p.op.dilation_h;
                const std::int64_t ix = ox * p.op.stride_w - p.op.pad_left + kx * p.op.dilation_w;
                if (iy < 0 || iy >= p.height || ix < 0 || ix >= p.width) continue;
                const std::int64_t channel = n / p.group_outputs * p.group_channels + c;
                const std::int64_t i = ((b * p.height + iy) * p.width + ix) * channels + channel;
                const std::int64_t j = ((n * p.kernel_h + ky) * p.kernel_w + kx) * p.group_channels + c;
                sum += static_cast<double>(x.as<float>()[static_cast<std::size_t>(i)]) *
                       static_cast<double>(w.as<float>()[static_cast<std::size_t>(j)]);
              }
          result.push_back(sum);
        }
  return result;
}

void check_close(const TensorData& actual, const std::vector<double>& expected) {
  REQUIRE(actual.as<float>().size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CHECK(static_cast<double>(actual.as<float>()[i]) == Approx(expected[i]).epsilon(1e-5).margin(1e-5));
  }
}

}  // namespace

TEST_CASE("float convolutions are the sums that define them, on any number of threads") {
  for (unsigned seed = 1; seed <= 40; ++seed) {
    FloatGraph maker(seed);
    const Problem2d p = draw_problem(maker);
    const TensorId x = maker.add_input({p.batch, p.height, p.width, p.group_channels * p.op.groups});
    const TensorId w =
        maker.add_constant({p.group_outputs * p.op.groups, p.kernel_h, p.kernel_w, p.group_channels});
    const TensorId bias = maker.add_constant({p.group_outputs * p.op.groups});
    const std::vector<Shape> shapes{maker.graph.tensor(x).shape, maker.graph.tensor(w).shape};
    const InferredShape y = infer_output_shape(p.op, shapes, std::nullopt);
    REQUIRE(y.ok());
    maker.add_node(p.op, {x, w, bias}, y.shape);
    const TensorData input = maker.random_data(shapes[0]);
    const TensorData output = maker.run({input});
    check_close(output, defined_convolution(p, input, *maker.graph.tensor(w).data,
                                            *maker.graph.tensor(bias).data, y.shape));
    CHECK(maker.run({input}, 3).bytes == output.bytes);
  }
}

TEST_CASE("a float transposed convolution scatters each input pixel times the kernel") {
  FloatGraph maker(3);
  const TensorId x = maker.add_input({1, 3, 4, 2});
  const TensorId w = maker.add_constant({3, 3, 2, 2});
  TransposeConv2dOp op;
  op.stride_h = 2;
  op.stride_w = 3;
  op.pad_top = 1;
  const Shape shape{1, 6, 11, 3};  // height 2*(3-1) + 3 - 1, width 3*(4-1) + 2
  maker.add_node(op, {x, w}, shape);
  const TensorData input = maker.random_data({1, 3, 4, 2});
  const auto weights = maker.graph.tensor(w).data->as<float>();
  std::vector<double> expected(6 * 11 * 3, 0.0);
  for (std::int64_t iy = 0; iy < 3; ++iy)
    for (std::int64_t ix = 0; ix < 4; ++ix)
      for (std::int64_t n = 0; n < 3; ++n)
        for (std::int64_t ky = 0; ky < 3; ++ky)
          for (std::int64_t kx = 0; kx < 2; ++kx)
            for (std::int64_t c = 0; c < 2; ++c) {
              const std::int64_t oy = iy * 2 + ky - 1;
              const std::int64_t ox = ix * 3 + kx;
              if (oy < 0 || oy >= 6 || ox >= 11) continue;
              expected[static_cast<std::size_t>((oy * 11 + ox) * 3 + n)] +=
                  static_cast<double>(input.as<float>()[static_cast<std::size_t>((iy * 4 + ix) * 2 + c)]) *
                  static_cast<double>(weights[static_cast<std::size_t>(((n * 3 + ky) * 2 + kx) * 2 + c)]);
            }
  check_close(maker.run({input}), expected);
}

TEST_CASE("a fused activation clamps float sums") {
  // y = 2 x - 1 through a fully connected layer of one weight
  const std::vector<float> x{-4, 0, 0.25F, 0.75F, 1, 3, 5};
  const auto run = [&](Activation activation) {
    FloatGraph maker;
    const TensorId input = maker.add_input({7, 1});
    const TensorId w = maker.add_constant(float_data({1, 1}, {2}));
    const TensorId b = maker.add_constant(float_data({1}, {-1}));
    maker.add_node(FullyConnectedOp{activation}, {input, w, b}, {7, 1});
    return values_of(maker.run({float_data({7, 1}, x)}));
  };
  CHECK(run(Activation::none) == std::vector<float>{-9, -1, -0.5F, 0.5F, 1, 5, 9});
  CHECK(run(Activation::relu) == std::vector<float>{0, 0, 0, 0.5F, 1, 5, 9});
  CHECK(run(Activation::relu6) == std::vector<float>{0, 0, 0, 0.5F, 1, 5, 6});
  CHECK(run(Activation::relu_n1_to_1) == std::vector<float>{-1, -1, -0.5F, 0.5F, 1, 1, 1});
}

TEST_CASE("a product of two float activations broadcasts its leading dimensions") {
  // a is [2, 1, 2, 3], b [3, 3, 2] or transposed [3, 2, 3]: y[i][j] = a[i][0] b[j]
  FloatGraph numbers(5);
  const TensorData a = numbers.random_data({2, 1, 2, 3});
  const TensorData b = numbers.random_data({3, 3, 2});
  TensorData turned(ElementType::f32, {3, 2, 3});
  std::vector<double> expected;
  for (std::size_t j = 0; j < 3; ++j)
    for (std::size_t k = 0; k < 3; ++k)
      for (std::size_t n = 0; n < 2; ++n)
        turned.as<float>()[(j * 2 + n) * 3 + k] = b.as<float>()[(j * 3 + k) * 2 + n];
  for (std::size_t i = 0; i < 2; ++i)
    for (std::size_t j = 0; j < 3; ++j)
      for (std::size_t m = 0; m < 2; ++m)
        for (std::size_t n = 0; n < 2; ++n) {
          double sum = 0;
          for (std::size_t k = 0; k < 3; ++k)
            sum += static_cast<double>(a.as<float>()[(i * 2 + m) * 3 + k]) *
                   static_cast<double>(b.as<float>()[(j * 3 + k) * 2 + n]);
          expected.push_back(sum);
        }
  for (const bool transpose : {false, true}) {
    FloatGraph maker;
    const TensorId left = maker.add_input(a.shape);
    const TensorId right = maker.add_input(transpose ? turned.shape : b.shape);
    maker.add_node(MatMulOp{transpose}, {left, right}, {2, 3, 2, 2});
    check_close(maker.run({a, transpose ? turned : b}), expected);
  }
}
