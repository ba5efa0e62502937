// The worst that accumulators can be asked to hold: never exceeded, and reached by inputs that the test
// makes.
#include "workloads/execute/worst_case_sums.h"

#include <catch2/catch.hpp>

#include "tests/unit/workloads/graph_maker.h"
#include "workloads/execute/overflow_place.h"

using namespace qsim;
using namespace qsim::arithmetic;

namespace {

struct ConvCase {
  std::int64_t channels = 3, outputs = 3, stride = 1, part_channels = 0;
  TensorOptions input{8, true, {1.0F}, {-7}};
  std::vector<std::int64_t> chunk_ends;
};

constexpr std::int64_t kEdge = 3;  // rows and columns of input and kernel, one row and column of padding

GraphMaker padded_convolution(const ConvCase& c, unsigned seed) {
  GraphMaker maker(seed);
  const TensorId x = maker.add_input("x", {1, kEdge, kEdge, c.channels}, c.input);
  const TensorId w = maker.add_constant("w", {c.outputs, kEdge, kEdge, c.channels}, {6, true, {1.0F}, {0}});
  Conv2dOp op;
  op.stride_h = op.stride_w = c.stride;
  op.pad_top = op.pad_bottom = op.pad_left = op.pad_right = 1;
  const std::int64_t out = (kEdge + 2 - kEdge) / c.stride + 1;
  maker.add_node(op, {x, w, maker.add_bias(c.outputs, 2000)},
                 maker.add("y", {1, out, out, c.outputs}, {16, true, {4.0F}, {0}}));
  return maker;
}

/// Kernel elements (tap * channels + channel) in the order of the reduction.
std::vector<std::int64_t> order_of(const ConvCase& c) {
  const std::int64_t part = c.part_channels > 0 ? c.part_channels : c.channels;
  std::vector<std::int64_t> order;
  for (std::int64_t begin = 0; begin < c.channels; begin += part) {
    for (std::int64_t tap = 0; tap < kEdge * kEdge; ++tap) {
      for (std::int64_t i = begin; i < std::min(begin + part, c.channels); ++i) {
        order.push_back(tap * c.channels + i);
      }
    }
  }
  return order;
}

/// The input with which the sum of output channel `n` at (row, column) is largest, or least, after the first
/// `steps` of the reduction; elements that these do not read are 0.
TensorData extreme_input(const Graph& graph, const ConvCase& c, std::int64_t n, std::int64_t row,
                         std::int64_t column, std::int64_t steps, bool largest) {
  const Tensor& input = graph.tensor(graph.inputs[0]);
  const IntegerFormat format = input.quantization->format();
  TensorData data(input.type, input.shape);
  const std::vector<std::int64_t> order = order_of(c);
  for (std::int64_t step = 0; step < steps; ++step) {
    const std::int64_t element = order[static_cast<std::size_t>(step)];
    const std::int64_t tap = element / c.channels;
    const std::int64_t y = row * c.stride - 1 + tap / kEdge;
    const std::int64_t x = column * c.stride - 1 + tap % kEdge;
    if (y < 0 || y >= kEdge || x < 0 || x >= kEdge) continue;
    const std::int64_t w = graph.tensor(1).data->at(n * kEdge * kEdge * c.channels + element);
    data.set((y * kEdge + x) * c.channels + element % c.channels,
             (w > 0) == largest ? format.max() : format.min());
  }
  return data;
}

MacContext context_of(const ConvCase& c) {
  MacContext context;
  context.chunk_ends = c.chunk_ends;
  context.part_channels = c.part_channels;
  return context;
}

}  // namespace

TEST_CASE("the worst case is what the worst of all inputs gives, to the bit") {
  const std::int64_t depth = kEdge * kEdge * 3;
  const ConvCase c = GENERATE_COPY(ConvCase{3, 3, 1, 0, {8, true, {1.0F}, {-7}}, {depth}},
                                   ConvCase{3, 3, 1, 0, {8, true, {1.0F}, {-128}}, {4, 8, 16, depth}},
                                   ConvCase{3, 2, 2, 0, {8, false, {1.0F}, {200}}, {5, 11, depth}},
                                   ConvCase{3, 2, 1, 2, {4, true, {1.0F}, {3}}, {7, 18, depth}},
                                   ConvCase{3, 2, 1, 0, {1, false, {1.0F}, {0}}, {9, depth}});
  const GraphMaker maker = padded_convolution(c, 11);
  const Graph& graph = maker.graph;
  const MacContext context = context_of(c);
  const AccumulatorRange worst = worst_case_sums(graph, graph.nodes[0], context);
  const std::int64_t out = graph.tensor(graph.outputs[0]).shape[1];
  AccumulatorStats seen;
  for (std::int64_t pixel = 0; pixel < out * out; ++pixel) {
    for (std::int64_t n = 0; n < c.outputs; ++n) {
      for (const std::int64_t steps : c.chunk_ends) {
        for (const bool largest : {false, true}) {
          const TensorData x = extreme_input(graph, c, n, pixel / out, pixel % out, steps, largest);
          seen.merge(*run_last_node(graph, {x}, context).stats);
        }
      }
    }
  }
  CHECK(seen.max == worst.max);
  CHECK(seen.min == worst.min);
}

TEST_CASE("no input exceeds the worst case") {
  const ConvCase c{3, 3, 1, 0, {8, true, {1.0F}, {-7}}, {4, 20, 27}};
  GraphMaker maker = padded_convolution(c, 5);
  const MacContext context = context_of(c);
  const AccumulatorRange worst = worst_case_sums(maker.graph, maker.graph.nodes[0], context);
  for (int i = 0; i < 200; ++i) {
    const AccumulatorStats seen =
        *run_last_node(maker.graph, {maker.random_data(maker.graph.tensor(0))}, context).stats;
    REQUIRE(seen.max <= worst.max);
    REQUIRE(seen.min >= worst.min);
  }
}

TEST_CASE("a clamp in front narrows the worst case") {
  // y1 = relu(x * 1) on the grid of scale 1, zero point 0: 0 .. 127. y2 = y1 * -1: -127 .. 0, 8 bits; without
  // the clamp it would be -127 .. 128.
  GraphMaker maker(1);
  const TensorId x = maker.add_input("x", {1, 1}, {8, true, {1.0F}, {0}});
  const auto one_weight = [&](const std::string& name, std::int64_t value) {
    const TensorId w = maker.add_constant(name, {1, 1}, {8, true, {1.0F}, {0}});
    maker.graph.tensor(w).data->set(0, value);
    return w;
  };
  FullyConnectedOp relu;
  relu.activation = Activation::relu;
  const TensorId hidden = maker.add("y1", {1, 1}, {8, true, {1.0F}, {0}});
  maker.add_node(relu, {x, one_weight("w1", 1), maker.add_bias(1, 0)}, hidden);
  maker.add_node(FullyConnectedOp{}, {hidden, one_weight("w2", -1), maker.add_bias(1, 0)},
                 maker.add("y2", {1, 1}, {8, true, {1.0F}, {0}}));
  const AccumulatorRange first = worst_case_sums(maker.graph, maker.graph.nodes[0], {});
  CHECK(first.min == -128);
  CHECK(first.max == 127);
  const AccumulatorRange second = worst_case_sums(maker.graph, maker.graph.nodes[1], {});
  CHECK(second.min == -127);
  CHECK(second.max == 0);
  CHECK(second.bits() == 8);
}

TEST_CASE("weights of groups count with their multipliers, beyond 32 bits") {
  // 512 weights of 32767, a multiplier of 32767, inputs of -128 to 127.
  GraphMaker maker(1);
  const TensorId x = maker.add_input("x", {1, 512}, {8, true, {1.0F}, {0}});
  const TensorId w = maker.add_constant("w", {1, 512}, {16, true, {1.0F}, {0}});
  Tensor& weights = maker.graph.tensor(w);
  for (std::int64_t i = 0; i < 512; ++i) weights.data->set(i, 32767);
  weights.quantization->axis = 0;
  weights.quantization->group_size = 512;
  weights.quantization->group_multipliers = {32767};
  maker.add_node(FullyConnectedOp{}, {x, w, maker.add_bias(1, 0)}, maker.add("y", {1, 1}));
  const AccumulatorRange worst = worst_case_sums(maker.graph, maker.graph.nodes[0], {});
  CHECK(worst.max == std::int64_t{512} * 32767 * 32767 * 127);
  CHECK(worst.min == std::int64_t{512} * 32767 * 32767 * -128);
}

TEST_CASE("of a product of activations both operands are free") {
  // Five products of 4-bit by 3-bit signed operands: -8 * 3 .. -8 * -4 each; zero points 0.
  GraphMaker maker(1);
  const TensorId a = maker.add_input("a", {2, 5}, {4, true, {1.0F}, {0}});
  const TensorId b = maker.add_input("b", {5, 2}, {3, true, {1.0F}, {0}});
  maker.add_node(MatMulOp{}, {a, b}, maker.add("y", {2, 2}, {8, true, {1.0F}, {0}}));
  const AccumulatorRange worst = worst_case_sums(maker.graph, maker.graph.nodes[0], {});
  CHECK(worst.max == 5 * 32);
  CHECK(worst.min == 5 * -28);
}

TEST_CASE("the first overflow is named by channel, position, update and value") {
  // 3x3 pixels of one channel, kernel 1x1 with two outputs: weights 1 and 2, bias 100 each, 8-bit
  // accumulators (-128 .. 127). Pixel (1, 2) is 14, all others 13: 100 + 2 * 14 = 128 does not fit, and
  // 100 + 2 * 13 = 126 does.
  GraphMaker maker(1);
  const TensorId x = maker.add_input("x", {1, 3, 3, 1}, {8, true, {1.0F}, {0}});
  const TensorId w = maker.add_constant("w", {2, 1, 1, 1}, {8, true, {1.0F}, {0}});
  const TensorId bias = maker.add_bias(2, 0);
  for (std::int64_t n = 0; n < 2; ++n) {
    maker.graph.tensor(w).data->set(n, n + 1);
    maker.graph.tensor(bias).data->set(n, 100);
  }
  maker.add_node(Conv2dOp{}, {x, w, bias}, maker.add("y", {1, 3, 3, 2}, {8, true, {1.0F}, {0}}));
  TensorData input(ElementType::i8, {1, 3, 3, 1});
  for (std::int64_t i = 0; i < 9; ++i) input.set(i, i == 5 ? 14 : 13);
  MacContext context;
  context.accumulator = {8, Overflow::trap};
  const auto place = first_overflow(maker.graph, maker.graph.nodes[0], context, {&input});
  REQUIRE(place);
  CHECK(place->channel == 1);
  CHECK(place->position == std::vector<std::int64_t>{0, 1, 2});
  CHECK(place->update == 1);
  CHECK(place->value == 128);
  context.accumulator.width_bits = 9;
  CHECK_FALSE(first_overflow(maker.graph, maker.graph.nodes[0], context, {&input}));
}
