// What the accumulators see: chunk by chunk, with every way of overflow.
#include <catch2/catch.hpp>

#include "tests/unit/workloads/graph_maker.h"

using namespace qsim;
using namespace qsim::arithmetic;

namespace {

struct Trace {
  std::int64_t min = INT64_MAX, max = INT64_MIN, overflows = 0;
  std::vector<std::int64_t> finals;
};

/// Rows times columns of a pointwise product, the accumulator updated after each chunk.
Trace follow(const TensorData& x, const TensorData& w, const std::vector<std::int64_t>& preload,
             const std::vector<std::int64_t>& chunk_ends, const AccumulatorFormat& format) {
  Trace trace;
  const std::int64_t depth = x.shape.back();
  const auto keep = [&](std::int64_t value) {
    trace.min = std::min(trace.min, value);
    trace.max = std::max(trace.max, value);
    if (value >= format.min() && value <= format.max()) return value;
    ++trace.overflows;
    if (format.overflow == Overflow::saturate) return value < 0 ? format.min() : format.max();
    const std::int64_t modulus = std::int64_t{1} << format.width_bits;
    const std::int64_t low = ((value % modulus) + modulus) % modulus;
    return low > format.max() ? low - modulus : low;
  };
  for (std::int64_t row = 0; row < x.size() / depth; ++row) {
    for (std::size_t n = 0; n < preload.size(); ++n) {
      std::int64_t accumulator = keep(preload[n]);
      std::int64_t k = 0;
      for (const std::int64_t end : chunk_ends) {
        std::int64_t sum = 0;
        for (; k < end; ++k) sum += x.at(row * depth + k) * w.at(static_cast<std::int64_t>(n) * depth + k);
        accumulator = keep(accumulator + sum);
      }
      trace.finals.push_back(accumulator);
    }
  }
  return trace;
}

/// Fully connected, 24 inputs, 5 outputs, 3 rows; the output's scale makes outputs equal clamped
/// accumulators.
GraphMaker wide_output_layer() {
  GraphMaker maker(3);
  const TensorId x = maker.add_input("x", {3, 24}, {8, true, {1.0F}, {9}});
  const TensorId w = maker.add_constant("w", {5, 24}, {8, true, {1.0F}, {0}});
  const TensorId b = maker.add_bias(5, 20'000);
  maker.add_node(FullyConnectedOp{}, {x, w, b}, maker.add("y", {3, 5}, {16, true, {4.0F}, {0}}));
  return maker;
}

}  // namespace

TEST_CASE("accumulators are observed after each chunk and overflow as configured") {
  const AccumulatorFormat format{GENERATE(16, 17, 20, 32),
                                 GENERATE(Overflow::wrap, Overflow::saturate, Overflow::trap)};
  const auto chunk_ends = GENERATE(std::vector<std::int64_t>{24}, std::vector<std::int64_t>{8, 16, 24},
                                   std::vector<std::int64_t>{1, 5, 23, 24});
  GraphMaker maker = wide_output_layer();
  const Node& node = maker.graph.nodes[0];
  const TensorData x = maker.random_data(maker.graph.tensor(0));
  const Trace trace =
      follow(x, *maker.graph.tensor(1).data, folded_bias(maker.graph, node), chunk_ends, format);
  MacContext context;
  context.accumulator = format;
  context.chunk_ends = chunk_ends;
  context.rounding_profile = RoundingProfile::fixed_point_single_rounding;
  const NodeRun run = run_last_node(maker.graph, {x}, context);
  REQUIRE(run.stats);
  CHECK(run.stats->min == trace.min);
  CHECK(run.stats->max == trace.max);
  CHECK(run.stats->overflows == trace.overflows);
  // M = 1/4, rounded once, half up: (a + 2) >> 2.
  for (std::size_t i = 0; i < trace.finals.size(); ++i) {
    CHECK(run.output.at(static_cast<std::int64_t>(i)) == (trace.finals[i] + 2) >> 2);
  }
}

TEST_CASE("a depthwise convolution reports the same accumulators as its groups would") {
  const AccumulatorFormat format{GENERATE(15, 18, 32), GENERATE(Overflow::wrap, Overflow::saturate)};
  const auto chunk_ends = GENERATE(std::vector<std::int64_t>{9}, std::vector<std::int64_t>{4, 8, 9});
  GraphMaker maker(8);
  const TensorId x = maker.add_input("x", {1, 3, 3, 6}, {8, true, {1.0F}, {-5}});
  const TensorId w = maker.add_constant("w", {6, 3, 3, 1}, {8, true, {1.0F}, {0}});
  Conv2dOp op;
  op.groups = 6;
  maker.add_node(op, {x, w, maker.add_bias(6, 9000)}, maker.add("y", {1, 1, 1, 6}, {16, true, {4.0F}, {0}}));
  const TensorData input = maker.random_data(maker.graph.tensor(x));
  const std::vector<std::int64_t> preload = folded_bias(maker.graph, maker.graph.nodes[0]);
  AccumulatorStats expected;
  for (std::int64_t n = 0; n < 6; ++n) {
    TensorData taps(ElementType::i8, {1, 9});
    TensorData weights(ElementType::i8, {1, 9});
    for (std::int64_t t = 0; t < 9; ++t) {
      taps.set(t, input.at(t * 6 + n));
      weights.set(t, maker.graph.tensor(w).data->at(n * 9 + t));
    }
    const Trace trace = follow(taps, weights, {preload[static_cast<std::size_t>(n)]}, chunk_ends, format);
    expected.merge({trace.min, trace.max, trace.overflows});
  }
  MacContext context;
  context.accumulator = format;
  context.chunk_ends = chunk_ends;
  const NodeRun run = run_last_node(maker.graph, {input}, context);
  REQUIRE(run.stats);
  CHECK(run.stats->min == expected.min);
  CHECK(run.stats->max == expected.max);
  CHECK(run.stats->overflows == expected.overflows);
}

TEST_CASE("channels before taps: the accumulators see the sums of all taps of some channels first") {
  const auto chunk_ends =
      GENERATE(std::vector<std::int64_t>{24, 36}, std::vector<std::int64_t>{5, 24, 30, 36});
  GraphMaker maker(9);
  const TensorId x = maker.add_input("x", {1, 2, 3, 6}, {8, true, {1.0F}, {7}});
  const TensorId w = maker.add_constant("w", {3, 2, 3, 6}, {8, true, {1.0F}, {0}});
  maker.add_node(Conv2dOp{}, {x, w, maker.add_bias(3, 9000)},
                 maker.add("y", {1, 1, 1, 3}, {16, true, {4.0F}, {0}}));
  const TensorData input = maker.random_data(maker.graph.tensor(x));
  // Channels 0 to 3 of the six taps, then channels 4 and 5.
  std::vector<std::int64_t> order;
  for (const auto& [begin, end] : {std::pair{0, 4}, std::pair{4, 6}}) {
    for (int tap = 0; tap < 6; ++tap) {
      for (int c = begin; c < end; ++c) order.push_back(tap * 6 + c);
    }
  }
  TensorData taps(ElementType::i8, {1, 36});
  TensorData weights(ElementType::i8, {3, 36});
  for (std::int64_t k = 0; k < 36; ++k) {
    taps.set(k, input.at(order[static_cast<std::size_t>(k)]));
    for (std::int64_t n = 0; n < 3; ++n)
      weights.set(n * 36 + k, maker.graph.tensor(w).data->at(n * 36 + order[static_cast<std::size_t>(k)]));
  }
  const Trace trace = follow(taps, weights, folded_bias(maker.graph, maker.graph.nodes[0]), chunk_ends, {});
  MacContext context;
  context.chunk_ends = chunk_ends;
  context.part_channels = 4;
  context.rounding_profile = RoundingProfile::fixed_point_single_rounding;
  const NodeRun run = run_last_node(maker.graph, {input}, context);
  REQUIRE(run.stats);
  CHECK(run.stats->min == trace.min);
  CHECK(run.stats->max == trace.max);
  for (std::size_t n = 0; n < 3; ++n)
    CHECK(run.output.at(static_cast<std::int64_t>(n)) == (trace.finals[n] + 2) >> 2);
}
