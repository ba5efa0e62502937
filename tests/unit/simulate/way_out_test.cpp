// Rows that run on the way out of the requantizer: the same values as one by one, at the cost of their reads,
// lanes and latency.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <memory>

#include "sim/compiler/compile.h"
#include "sim/compiler/mapping_file.h"
#include "sim/energy/energy_model.h"
#include "sim/report/accounting.h"
#include "sim/simulate.h"
#include "tests/unit/sim/hardware_files.h"
#include "tests/unit/simulate/draws.h"
#include "tests/unit/simulate/layer_graph.h"
#include "tests/unit/simulate/random_network.h"
#include "tests/unit/simulate/runs.h"
#include "tests/unit/simulate/same_run.h"

namespace qsim {
namespace {

using Json = nlohmann::ordered_json;
using test::cost;
using test::cycles;
using test::mappings_of;
using test::run_with;

constexpr std::size_t kNetworks = 200;

/// Random networks with rows that may be on a way out, on chips that have it.
std::vector<test::RandomPair> joined_pairs(std::size_t count, std::uint32_t seed) {
  std::vector<test::RandomPair> pairs;
  for (; pairs.size() < count; ++seed) {
    test::Choice choice(seed);
    test::RandomPair pair{seed, test::residual_network(choice), test::random_chip(choice)};
    pair.chip.requantizer.writes_through = false;
    pair.chip.requantizer.fused_add = true;
    validate(pair.network.graph);
    if (test::fits(pair.network.graph, pair.chip)) pairs.push_back(std::move(pair));
  }
  return pairs;
}

HardwareConfig without_way_out(HardwareConfig chip) {
  chip.requantizer.fused_add = false;
  return chip;
}

bool is_on_way_out(const LayerResult& layer) {
  return std::holds_alternative<WayOutLayerMapping>(layer.mapping);
}

std::int64_t rows_on_way_out(const RunResult& run) {
  return std::ranges::count_if(run.layers, is_on_way_out);
}

TEST_CASE("every tensor is what it is row by row, those included that no memory holds; both ways") {
  std::int64_t joined = 0;
  for (const test::RandomPair& made : joined_pairs(test::draws(kNetworks), 1)) {
    INFO("seed " << made.seed);
    const RunResult tile = run_with(made, Values::tile);
    const RunResult layer = run_with(made, Values::layer);
    joined += rows_on_way_out(tile);
    test::check_same_values(tile, layer);
    test::check_same_rows(tile, layer);
    test::RandomPair apart = made;
    apart.chip = without_way_out(made.chip);
    test::check_same_values(tile, run_with(apart, Values::tile));
    const EnergyModel energy(made.chip, load_energy_table("45nm", shipped_energy_tables(), ""));
    CHECK_NOTHROW(check_accounting(layer, summarize(layer, energy, 1), made.network.graph));
  }
  CHECK(joined > test::hits(200));
}

TEST_CASE("PE by PE the same cycles, causes, counts and values") {
  for (const test::RandomPair& made : joined_pairs(test::draws(100), 5000)) {
    INFO("seed " << made.seed);
    const RunResult tile = run_with(made, Values::tile);
    const RunResult pe = run_with(made, Values::tile, Fidelity::pe);
    test::check_same_values(tile, pe);
    test::check_same_rows(tile, pe);
  }
}

TEST_CASE("a way out never makes a network slower") {
  std::int64_t faster = 0;
  for (const test::RandomPair& made : joined_pairs(test::draws(kNetworks), 20000)) {
    INFO("seed " << made.seed);
    const std::int64_t joined = cost(made.chip, made.network.graph).total_cycles;
    const std::int64_t apart = cost(without_way_out(made.chip), made.network.graph).total_cycles;
    CHECK(joined <= apart);
    faster += joined < apart ? 1 : 0;
  }
  CHECK(faster > test::hits(100));
}

TEST_CASE("what a run says of its mappings, given back, repeats it: with ways out, and without") {
  std::int64_t joined = 0;
  for (const test::RandomPair& made : joined_pairs(test::draws(100), 9000)) {
    INFO("seed " << made.seed);
    for (const HardwareConfig& planned : {made.chip, without_way_out(made.chip)}) {
      const RunResult first = cost(planned, made.network.graph);
      joined += rows_on_way_out(first);
      const Json file = mappings_of(first);
      const PinnedMapper pinned(parse_mappings(file, "report.json"), std::make_unique<CostMapper>());
      const RunResult second = cost(made.chip, made.network.graph, &pinned);  // which has them
      CHECK(mappings_of(second) == file);
      CHECK(second.total_cycles == first.total_cycles);
      CHECK(second.activity.counts == first.activity.counts);
    }
  }
  CHECK(joined > test::hits(100));
}

// ---- a layer whose cycles can be counted by hand ----------------------------------------------------------

/// y = convolution of x with 8 x 8 weights, z = y + other, 4 x 4 pixels; `channels` of y and z.
Graph sum_graph(std::int64_t channels) {
  Graph graph = test::layer_graph({4, 4, 8, channels, 1});
  TensorId other = graph.inputs[0];
  if (channels != 8) {
    Tensor constant = graph.tensor(graph.outputs[0]);
    constant.name = "constant";
    constant.data = TensorData(ElementType::i8, constant.shape);
    graph.tensors.push_back(constant);
    other = static_cast<TensorId>(graph.tensors.size()) - 1;
  }
  Tensor sum = graph.tensor(graph.outputs[0]);
  sum.name = "z";
  graph.tensors.push_back(sum);
  Node node;
  node.name = node.place = "z";
  node.op = BinaryOp{BinaryKind::add, Activation::none};
  node.inputs = {graph.outputs[0], other};
  node.outputs = {static_cast<TensorId>(graph.tensors.size()) - 1};
  graph.outputs = node.outputs;
  graph.nodes.push_back(node);
  validate(graph);
  return graph;
}

/// Everything on the chip, 16 pixels a pass, a word of a read port a pixel.
HardwareConfig sum_chip() {
  HardwareConfig chip;
  chip.mac_array.rows = chip.mac_array.columns = 8;
  chip.accumulators.entries = 32;
  chip.activation_buffer.read_port_bytes = 8;
  chip.dram.kind = DramKind::none;
  chip.requantizer.fused_add = true;
  return chip;
}

TEST_CASE(
    "an addition costs the reads of its addend, as far as they are slower than the lanes, and a latency") {
  const std::int64_t alone = cycles(sum_chip(), test::layer_graph({4, 4, 8, 8, 1}));
  HardwareConfig chip = sum_chip();
  // 128 outputs on 32 lanes: 4 cycles; an addend of 128 bytes: 2 words of 64 bytes, 16 of 8 bytes.
  chip.activation_buffer.read_port_bytes = 64;
  CHECK(cycles(chip, sum_graph(8)) == alone + 4);
  chip.activation_buffer.read_port_bytes = 8;
  CHECK(cycles(chip, sum_graph(8)) == alone + (16 - 4) + 4);
  chip.activation_buffer.read_ports = 2;
  CHECK(cycles(chip, sum_graph(8)) == alone + (8 - 4) + 4);
  chip.requantizer.latency_cycles = 9;  // 5 more, of the requantizer and of the adder
  CHECK(cycles(chip, sum_graph(8)) == alone + (8 - 4) + 4 + 2 * 5);
  // Row by row: the vector unit has a pipeline of 8 and reads both operands, 2 x 16 words.
  chip = without_way_out(sum_chip());
  CHECK(cycles(chip, sum_graph(8)) == alone + 8 + 32);
}

TEST_CASE("while an addend is read the array reads nothing") {
  // Two passes of 16 pixels, 8 channels each. The sums of the first are there 16 + 8 + 8 - 2 = 30 cycles
  // after its beginning, when the second is about to take its last step, which then waits for 16 words.
  const RunResult run = cost(sum_chip(), sum_graph(16));
  REQUIRE(rows_on_way_out(run) == 1);
  CHECK(run.cycles[static_cast<std::size_t>(CycleClass::wait_ports)] == 16);
  HardwareConfig apart = without_way_out(sum_chip());
  CHECK(cost(apart, sum_graph(16)).cycles[static_cast<std::size_t>(CycleClass::wait_ports)] == 0);
}

TEST_CASE("the rows of a way out have their own counts, and no cycles") {
  const RunResult run = cost(sum_chip(), sum_graph(8));
  REQUIRE(run.layers.size() == 2);
  const LayerResult& product = run.layers[0];
  const LayerResult& sum = run.layers[1];
  CHECK(std::get<GemmLayerMapping>(product.mapping).fusion.fused_with == std::vector<std::string>{"z"});
  CHECK(std::get<WayOutLayerMapping>(sum.mapping).fusion.fused_with == std::vector<std::string>{"y"});
  CHECK(sum.cycles == 0);
  CHECK(sum.bound == product.bound);
  CHECK(product.cycles == run.total_cycles);
  // An addition, three rescales, a byte read and one written for each of the 128 sums.
  CHECK(sum.activity[Event::vector_adds] == 128);
  CHECK(sum.activity[Event::vector_multiplies] == 3 * 128);
  CHECK(sum.activity[Event::activation_buffer_read_bytes] == 128);
  CHECK(sum.activity[Event::activation_buffer_write_bytes] == 128);
  CHECK(product.activity[Event::activation_buffer_write_bytes] == 0);
  CHECK(product.activity[Event::requantizations] == 128);
}

TEST_CASE("a row's unit, given, puts it on the way out or leaves it to the vector unit") {
  const HardwareConfig chip = sum_chip();
  const auto run_given = [&](const char* unit) {
    const Json file = {{"layers", {{"z", {{"unit", unit}}}}}};
    const PinnedMapper pinned(parse_mappings(file, "mapping.json"), std::make_unique<CostMapper>());
    return cost(chip, sum_graph(8), &pinned);
  };
  CHECK(rows_on_way_out(run_given("requantizer")) == 1);
  CHECK(rows_on_way_out(run_given("vector_unit")) == 0);
  CHECK_THROWS_WITH(run_given("mac_array"), Catch::Matchers::Contains("\"vector_unit\" or \"requantizer\""));
}

// The rows as they were tell why; a row that is given to the requantizer has no values of its own there.
TEST_CASE("what is wrong of a product is told where a row is given to its way out") {
  Json file = {{"layers", {{"z", {{"unit", "requantizer"}}}}}};
  file["layers"]["y"] = {{"column_tile", 99}};
  const PinnedMapper pinned(parse_mappings(file, "mapping.json"), std::make_unique<CostMapper>());
  const CompileOutcome outcome = try_compile(sum_graph(8), sum_chip(), pinned, false);
  REQUIRE(outcome.problems.size() == 1);
  CHECK(outcome.problems[0].problem.place == "layers.y.column_tile");
}

// ---- what is not on a way out -----------------------------------------------------------------------------

TEST_CASE("what somebody else reads, or the world wants, is written") {
  Graph graph = sum_graph(8);
  CHECK(rows_on_way_out(cost(sum_chip(), graph)) == 1);
  graph.outputs.push_back(graph.nodes[0].outputs[0]);  // y as well
  CHECK(rows_on_way_out(cost(sum_chip(), graph)) == 0);
  graph = sum_graph(8);
  graph.nodes[1].inputs = {graph.nodes[0].outputs[0], graph.nodes[0].outputs[0]};  // y + y
  CHECK(rows_on_way_out(cost(sum_chip(), graph)) == 0);
  graph = sum_graph(8);
  graph.nodes[1].op = BinaryOp{BinaryKind::mul, Activation::none};
  CHECK(rows_on_way_out(cost(sum_chip(), graph)) == 0);
}

}  // namespace
}  // namespace qsim
