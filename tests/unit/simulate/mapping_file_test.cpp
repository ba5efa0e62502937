// Given mappings: what is honoured, and what is refused with its place.
#include <catch2/catch.hpp>
#include <future>
#include <nlohmann/json.hpp>

#include "sim/compiler/compile.h"
#include "sim/compiler/mapping_file.h"
#include "sim/simulate.h"
#include "tests/unit/simulate/layer_graph.h"

namespace qsim {
namespace {

using Json = nlohmann::ordered_json;

/// 3x3 on 14x14 pixels, 32 into 40 channels: two column tiles on an array of 32 columns.
constexpr test::LayerSize kConvolution{14, 14, 32, 40, 3};

std::string layer_name() {
  return test::layer_graph(kConvolution).nodes[0].name;
}

Json of_layer(const Json& mapping) {
  return {{"layers", {{layer_name(), mapping}}}};
}

PinnedMapper pinned(const Json& file) {
  return {parse_mappings(file, "mappings.json"), std::make_unique<CostMapper>()};
}

/// What the layer is mapped to with what a file gives. Compiling simulates, and here may throw afterwards: in
/// a thread, and so on a stack, of its own, because AddressSanitizer does not see SystemC's coroutines switch
/// stacks.
GemmLayerMapping mapping_with(const Json& file, const HardwareConfig& chip = {}) {
  const auto compiled = [&] {
    const PinnedMapper mapper = pinned(file);
    return std::get<GemmLayerMapping>(
        compile(test::layer_graph(kConvolution), chip, mapper, false).rows[0].mapping);
  };
  return std::async(std::launch::async, compiled).get();
}

/// The problems that a file makes.
std::vector<Problem> problems_of(const Json& file, const HardwareConfig& chip = {}) {
  try {
    (void)mapping_with(file, chip);
  } catch (const InputError& error) {
    return error.problems();
  }
  return {};
}

TEST_CASE("a given value stands, and the compiler chooses the rest") {
  CHECK(mapping_with(of_layer({{"output_tile", {{"rows", 5}}}})).mapping.tile_rows == 5);
  CHECK(mapping_with(of_layer({{"loop_order", "activations_outer"}})).mapping.order ==
        LoopOrder::activations_outer);
  CHECK(mapping_with(of_layer({{"loop_order", "weights_outer"}})).mapping.order == LoopOrder::weights_outer);
  CHECK(mapping_with(of_layer({{"column_tile", 7}})).mapping.column_tile == 7);
  CHECK(mapping_with(of_layer({{"weights_in", "dram"}})).mapping.weights_resident == false);
  CHECK(mapping_with(of_layer({{"weights_in", "weight_buffer"}})).mapping.weights_resident);
  const GemmLayerMapping cut = mapping_with(of_layer({{"reduction_part", {{"kernel_h", 1}}}}));
  CHECK(cut.mapping.part_kernel_h == 1);
  CHECK(cut.reduction_parts >= 3);
  CHECK(mapping_with(of_layer({{"input_slots", 1}})).mapping.input_slots == 1);
}

TEST_CASE("sizes that the compiler would not try are taken where they are legal") {
  // 14 rows are tiled evenly by 14, 7, 5, 4, 3, 2 and 1.
  const Json given = {{"output_tile", {{"rows", 9}, {"columns", 11}}}, {"pixels_per_pass", 13}};
  const GemmMapping mapping = mapping_with(of_layer(given)).mapping;
  CHECK(mapping.tile_rows == 9);
  CHECK(mapping.tile_columns == 11);
  CHECK(mapping.pixels_per_pass == 13);
}

TEST_CASE("an odd mapping computes the same values as the compiler's own") {
  const Graph graph = test::layer_graph(kConvolution);
  const TensorData input = test::pattern_input(graph);
  const PinnedMapper odd = pinned(of_layer({{"output_tile", {{"rows", 9}, {"columns", 11}}},
                                            {"pixels_per_pass", 13},
                                            {"column_tile", 7},
                                            {"column_tiles_per_block", 3},
                                            {"loop_order", "activations_outer"},
                                            {"weights_in", "dram"}}));
  SimulateOptions options;
  const RunResult own = simulate({}, graph, {input}, options);
  options.mapper = &odd;
  options.values = Values::tile;
  CHECK(simulate({}, graph, {input}, options).outputs[0].data.bytes == own.outputs[0].data.bytes);
}

TEST_CASE("an operation's mapping is for all its layers, and a layer's own values precede") {
  const std::string op = "conv2d";
  const Json rows = {{"output_tile", {{"rows", 5}}}};
  CHECK(mapping_with({{"operations", {{op, rows}}}}).mapping.tile_rows == 5);
  Json both = of_layer({{"output_tile", {{"rows", 4}}}});
  both["operations"] = {{op, {{"output_tile", {{"rows", 5}}}, {"column_tile", 20}}}};
  CHECK(mapping_with(both).mapping.tile_rows == 4);
  CHECK(mapping_with(both).mapping.column_tile == 20);
}

struct Refused {
  Json mapping;
  std::string key;       ///< Place behind the layer's name.
  std::string value;     ///< As the message shows it.
  std::string expected;  ///< Part of the message.
};

TEST_CASE("a value that is not legal is refused with its place and what is legal") {
  const HardwareConfig chip;
  const std::vector<Refused> cases = {
      {{{"output_tile", {{"rows", 15}}}}, ".output_tile.rows", "15", "1 to 14"},
      {{{"output_tile", {{"columns", 0}}}}, ".output_tile.columns", "0", "1 to 14"},
      {{{"column_tile", 33}}, ".column_tile", "33", "1 to 32"},
      {{{"column_tiles_per_block", 3}}, ".column_tiles_per_block", "3", "1 to 2"},
      {{{"groups_per_tile", 2}}, ".groups_per_tile", "2", "1 to 1"},
      {{{"dataflow", "output_stationary"}}, ".dataflow", "output_stationary", "weight_stationary"},
      {{{"dataflow", "row_stationary"}}, ".dataflow", "\"row_stationary\"", "one of weight_stationary"},
      {{{"reduction_part", {{"kernel_h", 2}, {"kernel_w", 1}}}},
       ".reduction_part.kernel_h",
       "2 x 1 x any",
       "3 x 3 x 32"},
      {{{"input_slots", 3}}, ".input_slots", "3", "1 to 2"},
      {{{"output_in", "activation_buffer"}}, ".output_in", "activation_buffer", "dram"},
      {{{"weights_in", "activations"}}, ".weights_in", "\"activations\"", "weight_buffer"},
      {{{"activation_bytes", 1 << 30}}, ".activation_bytes", "1073741824", "bytes of the activation buffer"},
      {{{"loop_order", 1}}, ".loop_order", "1", "one of weights_outer"},
      {{{"unit", "vector_unit"}}, ".unit", "\"vector_unit\"", "mac_array"},
      {{{"tile_rows", 3}}, ".tile_rows", "3", "no such value"},
      {{{"weight_blocks", 77}}, ".weight_blocks", "77", ""},
      {{{"pixels_per_pass", -1}}, ".pixels_per_pass", "-1", "a whole number from 0"},
  };
  for (const Refused& refused : cases) {
    INFO(refused.mapping.dump());
    const std::vector<Problem> problems = problems_of(of_layer(refused.mapping), chip);
    REQUIRE(problems.size() == 1);
    CHECK(problems[0].file == "mappings.json");
    CHECK(problems[0].place == "layers." + layer_name() + refused.key);
    CHECK(problems[0].value == refused.value);
    CHECK_THAT(problems[0].expected, Catch::Matchers::Contains(refused.expected));
    CHECK_FALSE(problems[0].hint.empty());
  }
}

TEST_CASE("an input that lies in DRAM may stay where the machine fetches inputs") {
  HardwareConfig chip;
  const nlohmann::json given = of_layer({{"input_in", "activation_buffer"}});
  CHECK(problems_of(given, chip).empty());
  chip.mapper.fetches_inputs = false;
  const std::vector<Problem> problems = problems_of(given, chip);
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].place == "layers." + layer_name() + ".input_in");
  CHECK_THAT(problems[0].expected, Catch::Matchers::Contains("dram"));
}

TEST_CASE("a mapping that is legal and too large names what is needed and what there is") {
  HardwareConfig chip;
  chip.activation_buffer.capacity_kib = 8;
  // A tile of all 14x14 pixels of 32 channels has 6,272 bytes, of 40 channels 7,840; a single tile has one
  // slot each.
  const auto problems = problems_of(
      of_layer({{"output_tile", {{"rows", 14}, {"columns", 14}}}, {"column_tiles_per_block", 2}}), chip);
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].file == "mappings.json");
  CHECK_THAT(problems[0].place, Catch::Matchers::Contains(layer_name()));
  CHECK_THAT(problems[0].value, Catch::Matchers::Contains("14112 bytes"));
  CHECK_THAT(problems[0].expected, Catch::Matchers::Contains("8192 bytes"));
}

TEST_CASE("names that no layer and no operation has are refused, with the nearest") {
  const auto layer = problems_of({{"layers", {{layer_name() + "x", Json::object()}}}});
  REQUIRE(layer.size() == 1);
  CHECK(layer[0].place == "layers." + layer_name() + "x");
  const auto operation = problems_of({{"operations", {{"conv2", Json::object()}}}});
  REQUIRE(operation.size() == 1);
  CHECK(operation[0].place == "operations.conv2");
  CHECK(operation[0].hint == "did you mean conv2d?");
}

TEST_CASE("a report of an earlier version is refused") {
  const auto problems = problems_of({{"schema_version", 1}, {"layers", Json::array()}});
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].place == "schema_version");
  CHECK(problems[0].expected == "2");
}

}  // namespace
}  // namespace qsim
