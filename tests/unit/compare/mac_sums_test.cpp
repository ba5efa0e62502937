#include "sim/compare/mac_sums.h"

#include <catch2/catch.hpp>

#include "tests/unit/workloads/graph_maker.h"

namespace qsim {
namespace {

/// One fully connected layer of depth 4 and two outputs, values set by hand.
struct Dense {
  explicit Dense(bool is_signed, std::int32_t x_zero_point) {
    TensorOptions x_options;
    x_options.is_signed = is_signed;
    x_options.zero_points = {x_zero_point};
    const TensorId x = maker.add_input("x", {1, 4}, x_options);
    const TensorId w = maker.add_constant("w", {2, 4});
    const TensorId y = maker.add("y", {1, 2});
    maker.add_node(FullyConnectedOp{}, {x, w, kNoTensor}, y);
  }
  std::vector<std::int64_t> sums(const std::vector<std::int64_t>& x, const std::vector<std::int64_t>& w,
                                 PairSum pairs) {
    TensorData value(maker.graph.tensor(0).type, {1, 4});
    for (std::size_t i = 0; i < x.size(); ++i) value.set(static_cast<std::int64_t>(i), x[i]);
    for (std::size_t i = 0; i < w.size(); ++i)
      maker.graph.tensor(1).data->set(static_cast<std::int64_t>(i), w[i]);
    return mac_sums(maker.graph, maker.graph.nodes[0], value, pairs);
  }
  GraphMaker maker;
};

}  // namespace

TEST_CASE("exact sums are the products of what is left of the zero points") {
  Dense dense(false, 10);
  // (5-10)*1 + (10-10)*9 + (255-10)*-2 + (11-10)*3 = -5 - 490 + 3;  4 * 127 * 245
  const auto sums = dense.sums({5, 10, 255, 11}, {1, 9, -2, 3, 0, 0, 0, 127}, PairSum::exact);
  CHECK(sums == std::vector<std::int64_t>{-492, 127});
}

TEST_CASE("a pair of products saturates at 16 bits, single ones and sums of pairs do not") {
  Dense dense(false, 0);
  // 255*127 + 255*127 = 64770 saturates to 32767 in each of two pairs; 255*127 = 32385 alone fits.
  CHECK(dense.sums({255, 255, 255, 255}, {127, 127, 127, 127, 127, 0, 127, 0},
                   PairSum::saturated_to_16_bits) == std::vector<std::int64_t>{2 * 32767, 2 * 32385});
  CHECK(dense.sums({255, 255, 0, 0}, {-128, -128, 0, 0, 64, 64, 0, 0}, PairSum::saturated_to_16_bits) ==
        std::vector<std::int64_t>{-32768, 255 * 128});
}

TEST_CASE("signed activations enter the pairs with 128 added") {
  Dense dense(true, 3);
  // u = 255, 255: 255*127*2 = 64770 -> 32767; z_u = 131: 32767 - 131 * 254; exactly (127 - 3) * 254.
  CHECK(dense.sums({127, 127, 3, 3}, {127, 127, 0, 0, 1, 1, 0, 0}, PairSum::saturated_to_16_bits) ==
        std::vector<std::int64_t>{32767 - 131 * 254, 2 * 124});
  CHECK(dense.sums({127, 127, 3, 3}, {127, 127, 0, 0, 1, 1, 0, 0}, PairSum::exact) ==
        std::vector<std::int64_t>{124 * 254, 248});
}

TEST_CASE("sums without saturation are the exact ones for every kind of layer") {
  for (unsigned seed = 1; seed <= 30; ++seed) {
    GraphMaker maker(seed);
    TensorOptions small;  // 6 bits: no pair of products reaches 16 bits
    small.bits = 6;
    small.is_signed = seed % 2 == 0;
    small.zero_points = {static_cast<std::int32_t>(maker.draw(0, 20))};
    TensorOptions weights = small;
    weights.is_signed = true;
    const std::int64_t groups = maker.draw(1, 3), channels = groups * maker.draw(1, 4);
    const TensorId x = maker.add_input("x", {2, 5, 6, channels}, small);
    const TensorId w = maker.add_constant("w", {groups * 2, 3, 2, channels / groups}, weights);
    Conv2dOp conv;
    conv.groups = groups;
    conv.stride_w = 2;
    conv.pad_top = 1;
    const TensorId y = maker.add("y", {2, 4, 3, groups * 2});
    const Node node = maker.add_node(conv, {x, w, kNoTensor}, y);
    validate(maker.graph);
    CHECK(has_saturated_pairs(maker.graph, node));
    const TensorData value = maker.random_data(maker.graph.tensor(x));
    const auto exact = mac_sums(maker.graph, node, value, PairSum::exact);
    CHECK(mac_sums(maker.graph, node, value, PairSum::saturated_to_16_bits) == exact);

    // Written out for one element: image 1, row 2, column 1, the last channel.
    const std::int64_t n = groups * 2 - 1, group_channels = channels / groups;
    std::int64_t sum = 0;
    for (std::int64_t ky = 0; ky < 3; ++ky) {
      for (std::int64_t kx = 0; kx < 2; ++kx) {
        for (std::int64_t c = 0; c < group_channels; ++c) {
          const std::int64_t iy = 2 - 1 + ky, ix = 2 + kx;
          const std::int64_t xv =
              value.at(((5 + iy) * 6 + ix) * channels + (groups - 1) * group_channels + c);
          const std::int64_t wv =
              maker.graph.tensor(w).data->at(((n * 3 + ky) * 2 + kx) * group_channels + c);
          sum += (xv - small.zero_points[0]) * (wv - weights.zero_points[0]);
        }
      }
    }
    CHECK(exact[static_cast<std::size_t>(((4 + 2) * 3 + 1) * groups * 2 + n)] == sum);
  }
}

}  // namespace qsim
