#include "sim/check/remarks.h"

#include <catch2/catch.hpp>

#include "tests/unit/workloads/graph_maker.h"

using namespace qsim;

namespace {

/// 8 products an output, no bias.
Graph fully_connected(int activation_bits, int weight_bits) {
  GraphMaker maker;
  const TensorId x = maker.add_input("x", {1, 8}, {activation_bits});
  const TensorId w = maker.add_constant("w", {4, 8}, {weight_bits});
  const TensorId y = maker.add("y", {1, 4}, {activation_bits});
  maker.add_node(FullyConnectedOp{}, {x, w, kNoTensor}, y);
  return maker.graph;
}

std::vector<std::string> remarks(const Graph& graph, const HardwareConfig& chip) {
  return remarks_of_row(graph, make_schedule(graph), 0, chip);
}

}  // namespace

TEST_CASE("accumulators are named where the worst case needs one bit more, and not where it fits") {
  // 8 * (-128 * -128) = 2^17, which needs 19 bits with its sign.
  const Graph graph = fully_connected(8, 8);
  HardwareConfig chip;
  chip.accumulators.width_bits = 18;
  REQUIRE(remarks(graph, chip).size() == 1);
  CHECK(remarks(graph, chip)[0] ==
        "sums could wrap in 18-bit accumulators: the worst case needs accumulators.width_bits of 19");
  chip.accumulators.overflow = arithmetic::Overflow::trap;
  CHECK_THAT(remarks(graph, chip)[0], Catch::StartsWith("sums could trap"));
  chip.accumulators.width_bits = 19;
  CHECK(remarks(graph, chip).empty());
}

TEST_CASE("operands wider than the multipliers cost cycles") {
  HardwareConfig chip;
  chip.accumulators.width_bits = 64;
  const std::vector<std::string> found = remarks(fully_connected(16, 16), chip);
  REQUIRE(found.size() == 1);
  CHECK(found[0] == "16-bit weights by 16-bit activations take 4 cycles a product on 8x8-bit multipliers");
  CHECK(remarks(fully_connected(4, 4), chip).empty());
}

TEST_CASE("INT16 convolutions on 32-bit accumulators are told from TFLite's 64 bits") {
  GraphMaker maker;
  const TensorId x = maker.add_input("x", {1, 4, 4, 2}, {16});
  const TensorId w = maker.add_constant("w", {4, 1, 1, 2});
  const TensorId y = maker.add("y", {1, 4, 4, 4}, {16});
  maker.add_node(Conv2dOp{}, {x, w, kNoTensor}, y);
  HardwareConfig chip;
  chip.mac_array.activation_bits = 16;
  REQUIRE(remarks(maker.graph, chip).size() == 1);
  CHECK_THAT(remarks(maker.graph, chip)[0], Catch::Contains("accumulators.width_bits of 48 or more"));
  chip.accumulators.width_bits = 48;
  CHECK(remarks(maker.graph, chip).empty());
}

TEST_CASE("a rounding profile that is not the model's is named") {
  HardwareConfig chip;
  chip.requantizer.rounding_profile = arithmetic::RoundingProfile::float32;
  const std::vector<std::string> found = remarks(fully_connected(8, 8), chip);
  REQUIRE(found.size() == 1);
  CHECK_THAT(found[0], Catch::Contains("float32") && Catch::Contains("float64"));
}
