// The order in which a reduction runs: the mapping's where no order can overflow the accumulators.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "sim/compiler/compile.h"
#include "sim/compiler/mapping_file.h"
#include "sim/compiler/reduction_parts.h"
#include "sim/simulate.h"
#include "tests/unit/simulate/layer_graph.h"

namespace qsim {
namespace {

using Json = nlohmann::ordered_json;

/// 3x3 on 6x7 pixels, 64 into 40 channels. A sum of its 576 products of [-128, 127] x [-128, 127] is at most
/// 576 * 2^14 = 9,437,184, between 2^23 and 2^24: 25 bits with its sign. Preloads, at most 3 * 576 * 128 =
/// 221,184 in magnitude, do not change that.
constexpr test::LayerSize kCutConvolution{6, 7, 64, 40, 3};
constexpr int kBitsOfAnyOrder = 25;

PinnedMapper cut_into(const Json& part) {
  const Json file = {{"layers", {{"y", {{"reduction_part", part}}}}}};
  return {parse_mappings(file, "mappings.json"), std::make_unique<CostMapper>()};
}
const Json kAllTapsOfHalf = {{"kernel_h", 3}, {"kernel_w", 3}, {"channels", 32}};

HardwareConfig chip_of_width(int bits) {
  HardwareConfig chip;
  chip.accumulators.width_bits = bits;
  return chip;
}

TEST_CASE("channels of all taps may be a part where the worst case fits the accumulators, not a bit less") {
  const Graph graph = test::layer_graph(kCutConvolution);
  const PinnedMapper mapper = cut_into(kAllTapsOfHalf);
  const auto rows = compile(graph, chip_of_width(kBitsOfAnyOrder), mapper, false).rows;
  CHECK(rows[0].accumulator_bits_any_weights == kBitsOfAnyOrder);
  CHECK(std::get<GemmLayerMapping>(rows[0].mapping).reduction_parts == 2);
  CHECK_THROWS_AS(compile(graph, chip_of_width(kBitsOfAnyOrder - 1), mapper, false), InputError);
}

TEST_CASE("parts of channels come behind all others, and only of kernels of several taps") {
  GemmProblem problem;
  problem.geometry.kernel_h = problem.geometry.kernel_w = 3;
  problem.geometry.input = {1, 6, 7, 96};
  problem.geometry.output = {1, 6, 7, 40};
  GemmMapping mapping;
  mapping.chunk_rows = 32;
  const auto fixed = reduction_parts(problem, mapping);
  problem.is_order_free = true;
  auto expected = fixed;
  expected.push_back({3, 3, 64});
  expected.push_back({3, 3, 32});
  CHECK(reduction_parts(problem, mapping) == expected);
  CHECK_FALSE(is_legal_part(problem, mapping, {3, 3, 48}));
  CHECK_FALSE(is_legal_part(problem, mapping, {3, 2, 32}));
  problem.geometry.kernel_h = problem.geometry.kernel_w = 1;
  problem.is_order_free = false;
  const auto of_one_tap = reduction_parts(problem, mapping);
  problem.is_order_free = true;
  CHECK(reduction_parts(problem, mapping) == of_one_tap);
}

TEST_CASE("a machine whose tiles are as large as fits cuts in the order of the taps") {
  HardwareConfig chip;
  chip.weight_buffer.capacity_kib = 16;
  chip.mapper.largest_tiles = true;
  const Graph graph = test::layer_graph({6, 7, 256, 40, 3});
  const CompiledProgram compiled = compile(graph, chip, false);
  const GemmMapping& mapping = std::get<GemmLayerMapping>(compiled.rows[0].mapping).mapping;
  CHECK(mapping.part_kernel_h * mapping.part_kernel_w < 9);
}

TEST_CASE("values and what accumulators see are those of the executed order, in each way of computing them") {
  const Graph graph = test::layer_graph(kCutConvolution);
  const TensorData input = test::pattern_input(graph);
  const RunResult own = simulate({}, graph, {input}, {});
  const PinnedMapper all_taps = cut_into(kAllTapsOfHalf);
  const PinnedMapper taps = cut_into({{"kernel_h", 1}, {"kernel_w", 1}, {"channels", 32}});
  std::vector<arithmetic::AccumulatorStats> seen;
  for (const PinnedMapper* mapper : {&all_taps, &taps}) {
    SimulateOptions options;
    options.mapper = mapper;
    const RunResult layer = simulate({}, graph, {input}, options);
    CHECK(layer.outputs[0].data.bytes == own.outputs[0].data.bytes);
    options.values = Values::tile;
    for (const Fidelity fidelity : {Fidelity::tile, Fidelity::pe}) {
      options.fidelity = fidelity;
      const RunResult tile = simulate({}, graph, {input}, options);
      CHECK(tile.outputs[0].data.bytes == own.outputs[0].data.bytes);
      CHECK(tile.total_cycles == layer.total_cycles);
      CHECK(tile.layers[0].accumulator->min == layer.layers[0].accumulator->min);
      CHECK(tile.layers[0].accumulator->max == layer.layers[0].accumulator->max);
    }
    seen.push_back(*layer.layers[0].accumulator);
  }
  CHECK((seen[0].min != seen[1].min || seen[0].max != seen[1].max));
}

}  // namespace
}  // namespace qsim
