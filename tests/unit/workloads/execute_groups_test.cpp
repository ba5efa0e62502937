// Weights with a multiplier and a zero point a group, against the definition in plain loops:
//   acc[n] = b[n] + sum over taps and groups of m[n][t][g] * sum_{c in g} (x - z_x) * (w - z_w[n][t][g])
#include <catch2/catch.hpp>
#include <cmath>

#include "hw_models/arithmetic/requantize.h"
#include "tests/unit/workloads/graph_maker.h"
#include "workloads/graph/group_scales.h"

using namespace qsim;
using namespace qsim::arithmetic;

namespace {

struct Layer {
  std::int64_t channels, outputs, kernel, size, group, conv_groups;
  int weight_bits, activation_bits, multiplier_bits;
  bool asymmetric;
};

/// Gives the weights of a node random groups.
void add_groups(GraphMaker& maker, TensorId weights, const Layer& layer) {
  Tensor& tensor = maker.graph.tensor(weights);
  Quantization& q = *tensor.quantization;
  q.axis = 0;
  q.scales.assign(static_cast<std::size_t>(tensor.shape[0]), 0.001F);
  q.group_size = layer.group;
  q.zero_points.clear();
  const IntegerFormat format = q.format();
  for (std::int64_t g = 0; g < element_count(tensor.shape) / layer.group; ++g) {
    q.group_multipliers.push_back(static_cast<std::int32_t>(maker.draw(1, (1 << layer.multiplier_bits) - 1)));
    q.zero_points.push_back(
        layer.asymmetric ? static_cast<std::int32_t>(maker.draw(format.min(), format.max())) : 0);
  }
}

/// Padding has the value of the zero point and counts for nothing.
std::vector<std::int64_t> sums_of(const Graph& graph, const Node& node, const TensorData& x,
                                  std::int64_t stride, std::int64_t pad, std::int64_t insert) {
  const Tensor& w = graph.tensor(node.inputs[1]);
  const Shape& y = graph.tensor(node.outputs[0]).shape;
  const std::int64_t z_x = graph.tensor(node.inputs[0]).quantization->zero_point();
  const Quantization& q = *w.quantization;
  const std::int64_t kernel = w.shape[1];
  const std::int64_t channels = w.shape[3];
  const std::int64_t outputs_a_group = w.shape[0] / (x.shape[3] / channels);
  std::vector<std::int64_t> sums;
  for (std::int64_t i = 0; i < element_count(y); ++i) {
    const std::int64_t n = i % y[3];
    const std::int64_t ox = i / y[3] % y[2];
    const std::int64_t oy = i / y[3] / y[2] % y[1];
    std::int64_t sum = graph.tensor(node.inputs[2]).data->at(n);
    for (std::int64_t ky = 0; ky < kernel; ++ky) {
      for (std::int64_t kx = 0; kx < kernel; ++kx) {
        // Of a transposed convolution y[i * stride + k - pad] += x[i] * w[k].
        std::int64_t iy = insert > 1 ? oy + pad - ky : oy * stride - pad + ky;
        std::int64_t ix = insert > 1 ? ox + pad - kx : ox * stride - pad + kx;
        if (iy < 0 || ix < 0 || iy % insert != 0 || ix % insert != 0) continue;
        iy /= insert;
        ix /= insert;
        if (iy >= x.shape[1] || ix >= x.shape[2]) continue;
        for (std::int64_t c = 0; c < channels; ++c) {
          const std::int64_t e = ((n * kernel + ky) * kernel + kx) * channels + c;
          const std::int64_t g =
              ((n * kernel + ky) * kernel + kx) * (channels / q.group_size) + c / q.group_size;
          const std::int64_t in = (iy * x.shape[2] + ix) * x.shape[3] + n / outputs_a_group * channels + c;
          sum += std::int64_t{q.group_multipliers[static_cast<std::size_t>(g)]} * (x.at(in) - z_x) *
                 (w.data->at(e) - q.zero_points[static_cast<std::size_t>(g)]);
        }
      }
    }
    sums.push_back(sum);
  }
  return sums;
}

/// At a scale at which 48-bit sums fill the 16 bits of the outputs.
void check(GraphMaker& maker, const TensorData& x, const std::vector<std::int64_t>& sums) {
  validate(maker.graph);
  MacContext context;
  context.accumulator.width_bits = 64;
  context.rounding_profile = RoundingProfile::float64;
  const auto run = run_last_node(maker.graph, {x}, context);
  const auto scales = channel_scales(maker.graph, maker.graph.nodes[0], context.rounding_profile);
  std::int64_t differences = 0;
  std::int64_t inside = 0;
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const std::int32_t expected =
        requantize(context.rounding_profile, scales[i % scales.size()], {0, -32768, 32767}, sums[i]);
    if (run.output.at(static_cast<std::int64_t>(i)) != expected) ++differences;
    if (std::abs(expected) < 32767) ++inside;
  }
  CHECK(differences == 0);
  CHECK(inside > static_cast<std::int64_t>(sums.size()) / 2);
}

float output_scale(const Layer& layer) {
  const std::int64_t depth = layer.kernel * layer.kernel * layer.channels;
  return static_cast<float>(
      0.05 * 0.001 * std::sqrt(static_cast<double>(depth)) *
      std::ldexp(1.0, layer.weight_bits + layer.activation_bits + layer.multiplier_bits - 14));
}

}  // namespace

TEST_CASE("convolutions multiply the sum of each group of a tap by its multiplier") {
  const Layer layer =
      GENERATE(Layer{16, 5, 3, 6, 8, 1, 8, 8, 8, false}, Layer{16, 5, 3, 6, 8, 1, 8, 8, 8, true},
               Layer{32, 7, 1, 4, 16, 1, 2, 8, 4, false}, Layer{12, 6, 2, 5, 3, 2, 4, 4, 8, true},
               Layer{8, 3, 3, 5, 4, 1, 16, 16, 8, true}, Layer{8, 3, 1, 5, 8, 1, 12, 8, 15, false});
  const bool is_signed = GENERATE(true, false);
  GraphMaker maker(17);
  const TensorId x = maker.add_input("x", {1, layer.size, layer.size, layer.channels},
                                     {layer.activation_bits, is_signed, {0.05F}, {is_signed ? -3 : 5}});
  const TensorId w =
      maker.add_constant("w", {layer.outputs, layer.kernel, layer.kernel, layer.channels / layer.conv_groups},
                         {layer.weight_bits, is_signed, {0.001F}, {0}});
  add_groups(maker, w, layer);
  Conv2dOp op;
  op.groups = layer.conv_groups;
  op.pad_top = op.pad_bottom = op.pad_left = op.pad_right = 1;
  const std::int64_t out = layer.size + 2 - layer.kernel + 1;
  const TensorId y = maker.add("y", {1, out, out, layer.outputs}, {16, true, {output_scale(layer)}, {0}});
  maker.add_node(op, {x, w, maker.add_bias(layer.outputs)}, y);
  const TensorData input = maker.random_data(maker.graph.tensor(x));
  check(maker, input, sums_of(maker.graph, maker.graph.nodes[0], input, 1, 1, 1));
}

TEST_CASE("the kernel of a transposed convolution is turned together with its groups") {
  const bool asymmetric = GENERATE(false, true);
  const Layer layer{8, 4, 3, 4, 4, 1, 8, 8, 8, asymmetric};
  GraphMaker maker(5);
  const TensorId x = maker.add_input("x", {1, 4, 4, 8}, {8, true, {0.05F}, {7}});
  const TensorId w = maker.add_constant("w", {4, 3, 3, 8}, {8, true, {0.001F}, {0}});
  add_groups(maker, w, layer);
  TransposeConv2dOp op;
  op.stride_h = op.stride_w = 2;
  op.pad_top = op.pad_left = 1;
  const TensorId y = maker.add("y", {1, 7, 7, 4}, {16, true, {output_scale(layer)}, {0}});
  maker.add_node(op, {x, w, maker.add_bias(4)}, y);
  const TensorData input = maker.random_data(maker.graph.tensor(x));
  check(maker, input, sums_of(maker.graph, maker.graph.nodes[0], input, 1, 1, 2));
}

TEST_CASE("scales that are multiples give the smallest multipliers, exactly") {
  const std::vector<float> scales{0.3F, 0.1F, 0.2F, 1.7F};
  const ChannelGroups groups = fit_group_scales(scales, 8);
  CHECK(groups.multipliers == std::vector<std::int32_t>{3, 1, 2, 17});
  CHECK(groups.scale == Approx(0.1).epsilon(1e-6));
  CHECK(groups.error == 0.0);
  CHECK(fit_group_scales(std::vector<float>{0.4F, 0.4F}, 1).multipliers == std::vector<std::int32_t>{1, 1});
}

TEST_CASE("other scales are approximated, and the largest distance is known") {
  const std::vector<float> scales{1.0F, 0.7071067F, 0.1234567F};
  const ChannelGroups groups = fit_group_scales(scales, 8);
  double worst = 0.0;
  for (std::size_t g = 0; g < scales.size(); ++g)
    worst = std::max(worst, std::abs(groups.multipliers[g] * static_cast<double>(groups.scale) /
                                         static_cast<double>(scales[g]) -
                                     1.0));
  CHECK(groups.error == Approx(worst));
  CHECK(groups.error > 0.0);
  CHECK(groups.error < 1.0 / 128);
  // One bit has the multiplier 1 alone: the largest scale stands, the smallest is 8.1 times too large.
  CHECK(fit_group_scales(scales, 1).error == Approx(1.0 / 0.1234567 - 1.0));
}
