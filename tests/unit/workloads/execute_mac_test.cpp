// Nodes on the MAC array against the definition, written as plain loops over real taps:
//   acc[n] = bias[n] + sum over taps inside the image of (x - z_x) * (w[n] - z_w[n])
#include <catch2/catch.hpp>

#include "hw_models/arithmetic/requantize.h"
#include "tests/unit/workloads/graph_maker.h"

using namespace qsim;
using namespace qsim::arithmetic;

namespace {

std::int64_t index4(const Shape& s, std::int64_t a, std::int64_t b, std::int64_t c, std::int64_t d) {
  return ((a * s[1] + b) * s[2] + c) * s[3] + d;
}

std::int64_t bias_of(const Graph& graph, const Node& node, std::int64_t n) {
  return node.inputs.size() > 2 ? graph.tensor(node.inputs[2]).data->at(n) : 0;
}

/// Accumulators of a convolution, NHWC.
std::vector<std::int64_t> convolve(const Graph& graph, const Node& node, const TensorData& x) {
  const auto& op = std::get<Conv2dOp>(node.op);
  const Tensor& w = graph.tensor(node.inputs[1]);
  const Shape& y = graph.tensor(node.outputs[0]).shape;
  const std::int64_t input_zero_point = graph.tensor(node.inputs[0]).quantization->zero_point();
  const std::int64_t outputs_a_group = w.shape[0] / op.groups;
  std::vector<std::int64_t> result;
  for (std::int64_t i = 0; i < element_count(y); ++i) {
    const std::int64_t n = i % y[3];
    const std::int64_t ox = i / y[3] % y[2];
    const std::int64_t oy = i / (y[3] * y[2]) % y[1];
    const std::int64_t image = i / (y[3] * y[2] * y[1]);
    std::int64_t sum = bias_of(graph, node, n);
    for (std::int64_t ky = 0; ky < w.shape[1]; ++ky) {
      for (std::int64_t kx = 0; kx < w.shape[2]; ++kx) {
        const std::int64_t iy = oy * op.stride_h - op.pad_top + ky * op.dilation_h;
        const std::int64_t ix = ox * op.stride_w - op.pad_left + kx * op.dilation_w;
        if (iy < 0 || iy >= x.shape[1] || ix < 0 || ix >= x.shape[2]) continue;
        for (std::int64_t c = 0; c < w.shape[3]; ++c) {
          const std::int64_t channel = n / outputs_a_group * w.shape[3] + c;
          sum += (x.at(index4(x.shape, image, iy, ix, channel)) - input_zero_point) *
                 (w.data->at(index4(w.shape, n, ky, kx, c)) - w.quantization->zero_point(n));
        }
      }
    }
    result.push_back(sum);
  }
  return result;
}

/// Accumulators of a transposed convolution: every input element adds to the outputs that it reaches.
std::vector<std::int64_t> scatter(const Graph& graph, const Node& node, const TensorData& x) {
  const auto& op = std::get<TransposeConv2dOp>(node.op);
  const Tensor& w = graph.tensor(node.inputs[1]);
  const Shape& y = graph.tensor(node.outputs[0]).shape;
  const std::int64_t input_zero_point = graph.tensor(node.inputs[0]).quantization->zero_point();
  std::vector<std::int64_t> result(static_cast<std::size_t>(element_count(y)));
  for (std::size_t i = 0; i < result.size(); ++i)
    result[i] = bias_of(graph, node, static_cast<std::int64_t>(i) % y[3]);
  for (std::int64_t iy = 0; iy < x.shape[1]; ++iy) {
    for (std::int64_t ix = 0; ix < x.shape[2]; ++ix) {
      for (std::int64_t i = 0; i < element_count(w.shape); ++i) {
        const std::int64_t c = i % w.shape[3];
        const std::int64_t kx = i / w.shape[3] % w.shape[2];
        const std::int64_t ky = i / (w.shape[3] * w.shape[2]) % w.shape[1];
        const std::int64_t n = i / (w.shape[3] * w.shape[2] * w.shape[1]);
        const std::int64_t oy = iy * op.stride_h + ky - op.pad_top;
        const std::int64_t ox = ix * op.stride_w + kx - op.pad_left;
        if (oy < 0 || oy >= y[1] || ox < 0 || ox >= y[2]) continue;
        result[static_cast<std::size_t>(index4(y, 0, oy, ox, n))] +=
            (x.at(index4(x.shape, 0, iy, ix, c)) - input_zero_point) *
            (w.data->at(i) - w.quantization->zero_point(n));
      }
    }
  }
  return result;
}

/// Runs the last node and compares each output with the requantized sum.
void check_outputs(const GraphMaker& maker, const TensorData& x, const std::vector<std::int64_t>& sums) {
  MacContext context;
  context.accumulator.width_bits = 48;
  const Graph& graph = maker.graph;
  const Node& node = graph.nodes.back();
  const TensorData y = run_last_node(graph, {x}, context).output;
  const auto scales = channel_scales(graph, node, context.rounding_profile);
  const ClampRange clamp = output_clamp(graph, node);
  const OutputRange range{graph.tensor(node.outputs[0]).quantization->zero_point(), clamp.min, clamp.max};
  REQUIRE(y.size() == static_cast<std::int64_t>(sums.size()));
  std::int64_t differences = 0;
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const std::int32_t expected =
        requantize(context.rounding_profile, scales[i % scales.size()], range, sums[i]);
    if (y.at(static_cast<std::int64_t>(i)) != expected) ++differences;
  }
  CHECK(differences == 0);
}

std::int64_t output_size(std::int64_t in, std::int64_t pads, std::int64_t kernel, std::int64_t dilation,
                         std::int64_t stride) {
  return (in + pads - ((kernel - 1) * dilation + 1)) / stride + 1;
}

TensorOptions random_format(GraphMaker& maker) {
  TensorOptions options;
  constexpr std::array<int, 4> kBits{2, 4, 8, 16};
  options.bits = kBits[static_cast<std::size_t>(maker.draw(0, 3))];
  options.is_signed = maker.draw(0, 1) == 1;
  const IntegerFormat format{options.bits, options.is_signed};
  options.zero_points = {static_cast<std::int32_t>(maker.draw(format.min(), format.max()))};
  return options;
}

/// Weights with a scale and, where asked, a zero point of its own a channel.
TensorOptions random_weights(GraphMaker& maker, std::int64_t channels, bool asymmetric) {
  TensorOptions options;
  options.scales.clear();
  options.zero_points.clear();
  for (std::int64_t n = 0; n < channels; ++n) {
    options.scales.push_back(0.001F * static_cast<float>(maker.draw(1, 50)));
    options.zero_points.push_back(asymmetric ? static_cast<std::int32_t>(maker.draw(-128, 127)) : 0);
  }
  return options;
}

struct ConvCase {
  std::int64_t in_channels, out_channels, groups;
};

/// A convolution of random geometry; the output range covers a good part of the sums.
void check_random_convolution(unsigned seed, const ConvCase& shape) {
  GraphMaker maker(seed);
  Conv2dOp op;
  op.groups = shape.groups;
  op.stride_h = maker.draw(1, 3);
  op.stride_w = maker.draw(1, 3);
  op.dilation_h = maker.draw(1, 2);
  op.dilation_w = maker.draw(1, 2);
  op.pad_top = maker.draw(0, 2);
  op.pad_bottom = maker.draw(0, 2);
  op.pad_left = maker.draw(0, 2);
  op.pad_right = maker.draw(0, 2);
  const std::int64_t kernel_h = maker.draw(1, 4);
  const std::int64_t kernel_w = maker.draw(1, 4);
  const std::int64_t batch = maker.draw(1, 2);
  const TensorOptions x_format = random_format(maker);
  const TensorId x = maker.add_input("x", {batch, 9, 8, shape.in_channels}, x_format);
  const TensorId w =
      maker.add_constant("w", {shape.out_channels, kernel_h, kernel_w, shape.in_channels / shape.groups},
                         random_weights(maker, shape.out_channels, maker.draw(0, 1) == 1));
  TensorOptions y_format{
      8, true, {x_format.bits == 16 ? 200.0F : 1.0F}, {static_cast<std::int32_t>(maker.draw(-128, 127))}};
  const TensorId y = maker.add(
      "y",
      {batch, output_size(9, op.pad_top + op.pad_bottom, kernel_h, op.dilation_h, op.stride_h),
       output_size(8, op.pad_left + op.pad_right, kernel_w, op.dilation_w, op.stride_w), shape.out_channels},
      y_format);
  maker.add_node(op, {x, w, maker.add_bias(shape.out_channels)}, y);
  const TensorData input = maker.random_data(maker.graph.tensor(x));
  check_outputs(maker, input, convolve(maker.graph, maker.graph.nodes.back(), input));
}

}  // namespace

TEST_CASE("a convolution equals its definition") {
  const unsigned seed = GENERATE(range(0U, 30U));
  check_random_convolution(seed, {5, 7, 1});
}

TEST_CASE("a grouped convolution equals its definition") {
  const unsigned seed = GENERATE(range(100U, 115U));
  check_random_convolution(seed, {6, 9, 3});
}

TEST_CASE("a depthwise convolution equals its definition") {
  const unsigned seed = GENERATE(range(200U, 220U));
  check_random_convolution(seed, {19, 19, 19});
}

TEST_CASE("a depthwise convolution with a channel multiplier equals its definition") {
  const unsigned seed = GENERATE(range(300U, 310U));
  check_random_convolution(seed, {4, 12, 4});
}

TEST_CASE("a pointwise convolution equals its definition") {
  GraphMaker maker(7);
  const TensorId x = maker.add_input("x", {2, 5, 3, 33}, {8, true, {0.05F}, {-7}});
  const TensorId w = maker.add_constant("w", {18, 1, 1, 33});
  maker.add_node(Conv2dOp{}, {x, w}, maker.add("y", {2, 5, 3, 18}, {8, true, {0.9F}, {3}}));
  const TensorData input = maker.random_data(maker.graph.tensor(x));
  check_outputs(maker, input, convolve(maker.graph, maker.graph.nodes.back(), input));
}

TEST_CASE("a transposed convolution equals the scattered sums") {
  const unsigned seed = GENERATE(range(0U, 25U));
  GraphMaker maker(seed);
  TransposeConv2dOp op;
  op.stride_h = maker.draw(1, 3);
  op.stride_w = maker.draw(1, 3);
  op.pad_top = maker.draw(0, 3);
  op.pad_left = maker.draw(0, 3);
  const TensorId x = maker.add_input("x", {1, 4, 5, 3}, random_format(maker));
  const TensorId w = maker.add_constant("w", {6, maker.draw(1, 4), maker.draw(1, 4), 3},
                                        random_weights(maker, 6, maker.draw(0, 1) == 1));
  const TensorId y = maker.add("y", {1, maker.draw(1, 14), maker.draw(1, 14), 6}, {8, true, {2.0F}, {5}});
  maker.add_node(op, {x, w, maker.add_bias(6)}, y);
  const TensorData input = maker.random_data(maker.graph.tensor(x));
  check_outputs(maker, input, scatter(maker.graph, maker.graph.nodes.back(), input));
}

TEST_CASE("a fully connected layer is a convolution over its rows") {
  const bool asymmetric = GENERATE(false, true);
  GraphMaker maker(11);
  const TensorId x = maker.add_input("x", {1, 3, 1, 20}, {8, true, {0.05F}, {4}});
  const TensorId w = maker.add_constant("w", {10, 1, 1, 20}, random_weights(maker, 10, asymmetric));
  const TensorId b = maker.add_bias(10);
  maker.add_node(Conv2dOp{}, {x, w, b}, maker.add("y", {1, 3, 1, 10}, {8, true, {0.7F}, {-3}}));
  const TensorData input = maker.random_data(maker.graph.tensor(x));
  const std::vector<std::int64_t> sums = convolve(maker.graph, maker.graph.nodes.back(), input);
  maker.graph.nodes.back().op = FullyConnectedOp{};
  for (const TensorId id : {w}) {
    maker.graph.tensor(id).shape = {10, 20};
    maker.graph.tensor(id).data->shape = {10, 20};
  }
  maker.graph.tensor(maker.graph.outputs[0]).shape = {3, 10};
  check_outputs(maker, input, sums);
}

TEST_CASE("fused activations clamp in output integers") {
  GraphMaker maker(5);
  const TensorId x = maker.add_input("x", {1, 4, 4, 8});
  const TensorId w = maker.add_constant("w", {8, 1, 1, 8});
  Conv2dOp op;
  op.activation = Activation::relu6;
  maker.add_node(op, {x, w}, maker.add("y", {1, 4, 4, 8}, {8, true, {0.05F}, {-100}}));
  const TensorData input = maker.random_data(maker.graph.tensor(x));
  check_outputs(maker, input, convolve(maker.graph, maker.graph.nodes.back(), input));
  const TensorData y = run_last_node(maker.graph, {input}, {}).output;
  std::int64_t low = 0;
  std::int64_t high = 0;
  for (std::int64_t i = 0; i < y.size(); ++i) {
    if (y.at(i) == -100) ++low;  // real 0
    if (y.at(i) == 20) ++high;   // real 6 = 0.05 * (20 + 100)
    CHECK((y.at(i) >= -100 && y.at(i) <= 20));
  }
  CHECK(low > 0);
  CHECK(high > 0);
}
