// Mappings as values: compared, written and read back, costed without a placement.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "sim/compiler/compile.h"
#include "sim/compiler/gemm_cost.h"
#include "sim/compiler/mapping_file.h"
#include "sim/simulate.h"
#include "tests/unit/simulate/draws.h"
#include "tests/unit/simulate/layer_graph.h"
#include "tests/unit/simulate/random_network.h"
#include "tests/unit/simulate/runs.h"

namespace qsim {
namespace {

using Json = nlohmann::ordered_json;
using test::cost;
using test::mappings_of;

constexpr std::size_t kPrograms = 150;

TEST_CASE("a mapping of the MAC array is written with its values, numbers as numbers") {
  GemmLayerMapping layer;
  layer.mapping.order = LoopOrder::activations_outer;
  layer.mapping.tile_rows = 14;
  layer.mapping.tile_columns = 56;
  layer.mapping.input_resident = true;
  layer.mapping.input_slots = 0;
  layer.activation_bytes = 4096;
  layer.tile_channels = 64;
  const Json json = mapping_json(layer);
  CHECK(json["unit"] == "mac_array");
  CHECK(json["loop_order"] == "activations_outer");
  CHECK(json["output_tile"] == Json{{"rows", 14}, {"columns", 56}, {"channels", 64}});
  CHECK(json["input_in"] == "activation_buffer");
  CHECK(json["output_in"] == "dram");
  CHECK(json["input_slots"] == 0);
  CHECK(json["activation_bytes"] == 4096);
}

TEST_CASE("of several inputs the places are a list, of one input a word") {
  VectorLayerMapping layer;
  layer.nests.resize(1);
  layer.nests[0].inputs_resident = {true};
  CHECK(mapping_json(layer)["input_in"] == "activation_buffer");
  layer.nests[0].inputs_resident = {true, false};
  CHECK(mapping_json(layer)["input_in"] == Json{"activation_buffer", "dram"});
}

TEST_CASE("mappings differ where a field differs") {
  GemmMapping a;
  GemmMapping b;
  CHECK(a == b);
  b.pixels_per_pass = 2;
  CHECK_FALSE(a == b);
  CHECK_FALSE(LayerMapping(GemmLayerMapping{a, 1}) == LayerMapping(GemmLayerMapping{b, 1}));
  CHECK_FALSE(LayerMapping(GemmLayerMapping{}) == LayerMapping(HostLayerMapping{}));
}

TEST_CASE("a mapping is costed without a placement: its bytes are those that the chip moves") {
  const HardwareConfig chip;
  GemmProblem problem;
  problem.geometry.input = {1, 1, 64, 32};
  problem.geometry.output = {1, 1, 64, 16};
  problem.weight_format = problem.activation_format = {8, true};
  problem.input = {problem.geometry.input, {0, {64 * 32, 64 * 32, 32}, {8, true}}};
  problem.output = {problem.geometry.output, {0, {64 * 16, 64 * 16, 16}, {8, true}}};
  GemmMapping mapping;
  mapping.tile_columns = 64;
  mapping.pixels_per_pass = 64;
  mapping.column_tile = 16;
  mapping.part_channels = 32;
  const MappingLimits limits = mapping_limits(chip, 1 << 16, 1 << 16);
  // Inputs, weights, and outputs once; 4 bytes of bias a channel, 5 of scale.
  CHECK(gemm_cost(problem, mapping, chip, limits).dram_bytes == 64 * 32 + 32 * 16 + 64 * 16 + 16 * 4 + 5);
  mapping.input_resident = true;
  CHECK(gemm_cost(problem, mapping, chip, limits).dram_bytes == 32 * 16 + 64 * 16 + 16 * 4 + 5);
  // In four tiles with the activations outside, the weights pass four times where there are two blocks.
  mapping.input_resident = false;
  mapping.order = LoopOrder::activations_outer;
  mapping.tile_columns = mapping.pixels_per_pass = 16;
  mapping.column_tile = 8;
  CHECK(gemm_cost(problem, mapping, chip, limits).dram_bytes ==
        64 * 32 + 4 * 32 * 16 + 64 * 16 + 4 * (16 * 4 + 2 * 5));
}

TEST_CASE("what a run says of its mappings, given back, repeats it") {
  int resident = 0;
  for (const test::RandomPair& made : test::random_pairs(test::draws(kPrograms), 1)) {
    INFO("seed " << made.seed);
    const RunResult first = cost(made.chip, made.network.graph);
    const Json file = mappings_of(first);
    const PinnedMapper pinned(parse_mappings(file, "report.json"), std::make_unique<CostMapper>());
    const RunResult second = cost(made.chip, made.network.graph, &pinned);
    CHECK(mappings_of(second) == file);
    CHECK(second.total_cycles == first.total_cycles);
    CHECK(second.activity.counts == first.activity.counts);
    for (const LayerResult& layer : first.layers)
      resident += mapping_json(layer.mapping).value("output_in", "") == "activation_buffer" ? 1 : 0;
  }
  CHECK(resident > test::hits(50));
}

TEST_CASE("the same program, address by address, comes of mappings that are given back") {
  for (const test::RandomPair& made : test::random_pairs(30, 500)) {
    INFO("seed " << made.seed);
    const CompiledProgram first = compile(made.network.graph, made.chip, false);
    Json layers = Json::object();
    for (const CompiledRow& row : first.rows)
      layers[made.network.graph.nodes[row.nodes.back()].name] = mapping_json(row.mapping);
    const PinnedMapper pinned(parse_mappings({{"layers", layers}}, "mappings.json"),
                              std::make_unique<CostMapper>());
    const CompiledProgram second = compile(made.network.graph, made.chip, pinned, false);
    CHECK(second.program.weight_slots == first.program.weight_slots);
    CHECK(second.program.parameter_slots == first.program.parameter_slots);
    CHECK(second.program.dram_bytes == first.program.dram_bytes);
    REQUIRE(second.program.nests.size() == first.program.nests.size());
    for (std::size_t n = 0; n < first.program.nests.size(); ++n) {
      const auto* a = std::get_if<GemmNest>(&first.program.nests[n]);
      const auto* b = std::get_if<GemmNest>(&second.program.nests[n]);
      if (a == nullptr) continue;
      CHECK(b->mapping() == a->mapping());
      CHECK(b->placement().input.slots == a->placement().input.slots);
      CHECK(b->placement().input.buffer.base == a->placement().input.buffer.base);
      CHECK(b->placement().output.slots == a->placement().output.slots);
      CHECK(b->placement().output.buffer.base == a->placement().output.buffer.base);
      CHECK(b->placement().weights_base == a->placement().weights_base);
      CHECK(b->placement().weight_blocks == a->placement().weight_blocks);
    }
  }
}

/// Gives some numbers of a mapping other values, most of them near.
void disturb(Json& json, test::Choice& choice) {
  for (auto& [key, value] : json.items()) {
    if (value.is_structured()) disturb(value, choice);
    if (!value.is_number() || !choice.chance(5)) continue;
    const auto size = value.get<std::int64_t>();
    const std::int64_t other = choice.of({size + 1, size - 1, size / 2, 2 * size, choice.between(0, 20)});
    value = std::max<std::int64_t>(0, other);
  }
}

/// The mappings of a run, disturbed, and without what follows from others.
Json disturbed(const RunResult& run, test::Choice& choice) {
  Json layers = Json::object();
  for (const LayerResult& layer : run.layers) {
    Json mapping = mapping_json(layer.mapping);
    for (const char* key : {"weight_blocks", "reduction_parts"}) mapping.erase(key);
    if (mapping["unit"] == "mac_array") mapping["output_tile"].erase("channels");
    disturb(mapping, choice);
    layers[layer.name] = std::move(mapping);
  }
  return {{"layers", std::move(layers)}};
}

TEST_CASE("any mapping is refused, or gives the values of the network in both ways") {
  int refused = 0;
  int accepted = 0;
  for (const test::RandomPair& made : test::random_pairs(test::draws(kPrograms), 2000)) {
    INFO("seed " << made.seed);
    test::Choice choice(made.seed);
    const RunResult own = cost(made.chip, made.network.graph);
    for (int n = 0; n < 4; ++n) {
      const Json file = disturbed(own, choice);
      INFO(file.dump());
      const PinnedMapper pinned(parse_mappings(file, "mappings.json"), std::make_unique<CostMapper>());
      if (!try_compile(made.network.graph, made.chip, pinned, false).program) {
        ++refused;
        continue;
      }
      ++accepted;
      SimulateOptions options;
      options.mapper = &pinned;
      const RunResult layer = simulate(made.chip, made.network.graph, made.network.inputs, options);
      options.values = Values::tile;
      const RunResult tile = simulate(made.chip, made.network.graph, made.network.inputs, options);
      CHECK(tile.total_cycles == layer.total_cycles);
      for (std::size_t i = 0; i < tile.outputs.size(); ++i)
        CHECK(tile.outputs[i].data.bytes == layer.outputs[i].data.bytes);
    }
  }
  CHECK(refused > test::hits(50));
  CHECK(accepted > test::hits(50));
}

}  // namespace
}  // namespace qsim
