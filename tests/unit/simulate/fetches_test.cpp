// What is fetched from DRAM: of strided and dilated convolutions what the kernel touches, of the second
// operand of a product whole lines. The values stay those of the layer kernels, tile by tile and PE by PE.
#include <catch2/catch.hpp>

#include "hw_models/core/nest_cursor.h"
#include "sim/compiler/compile.h"
#include "sim/compiler/gemm_cost.h"
#include "sim/simulate.h"
#include "tests/unit/simulate/draws.h"
#include "tests/unit/simulate/layer_graph.h"
#include "tests/unit/simulate/random_layers.h"
#include "tests/unit/simulate/random_network.h"
#include "tests/unit/simulate/runs.h"

namespace qsim {
namespace {

constexpr std::size_t kPrograms = 120;

RunResult run(const HardwareConfig& chip, const test::RandomNetwork& network, Values values,
              Fidelity fidelity = Fidelity::tile) {
  SimulateOptions options;
  options.values = values;
  options.fidelity = fidelity;
  options.dump_tensors = values != Values::none;
  return simulate(chip, network.graph, network.inputs, options);
}

/// All tensors equal the layer kernels', in both fidelities, which count and take the same.
void check_values(const test::RandomPair& made) {
  const RunResult layer = run(made.chip, made.network, Values::layer);
  const RunResult tile = run(made.chip, made.network, Values::tile);
  const RunResult pe = run(made.chip, made.network, Values::tile, Fidelity::pe);
  REQUIRE(tile.dump.size() == layer.dump.size());
  for (std::size_t i = 0; i < tile.dump.size(); ++i) {
    INFO("tensor " << tile.dump[i].name);
    CHECK((tile.dump[i].data.bytes == layer.dump[i].data.bytes));
    CHECK((pe.dump[i].data.bytes == layer.dump[i].data.bytes));
  }
  CHECK(tile.total_cycles == layer.total_cycles);
  CHECK(pe.total_cycles == layer.total_cycles);
  CHECK(tile.activity.counts == layer.activity.counts);
  CHECK(pe.activity.counts == layer.activity.counts);
}

/// `count` networks that `make` makes, each with a chip that has room for it.
template <typename Make>
std::vector<test::RandomPair> pairs(std::size_t count, std::uint32_t seed, const Make& make) {
  std::vector<test::RandomPair> list;
  for (; list.size() < count; ++seed) {
    test::Choice choice(seed);
    test::RandomPair pair{seed, make(choice), test::random_chip(choice)};
    validate(pair.network.graph);
    if (test::fits(pair.network.graph, pair.chip)) list.push_back(std::move(pair));
  }
  return list;
}

/// Scores of several heads, or what follows them.
test::RandomNetwork product_network(test::Choice& choice) {
  test::RandomLayers layers(choice, Semantics::onnx, static_cast<int>(choice.of({8, 16})), true);
  const std::int64_t heads = choice.between(1, 3);
  const std::int64_t depth = choice.between(1, 50);
  const std::int64_t outputs = choice.between(1, 50);
  const bool transposed = choice.chance(50);
  const TensorId a = layers.input({1, heads, choice.between(1, 6), depth});
  const TensorId b =
      layers.input(transposed ? Shape{1, heads, outputs, depth} : Shape{1, heads, depth, outputs});
  return layers.finish(layers.product(a, b, transposed));
}

TEST_CASE("a downsampling 1 x 1 convolution reads every second pixel of every second row, once") {
  // ResNet-50's: 56 x 56 x 256 to 28 x 28 x 512.
  const Graph graph = test::layer_graph({56, 56, 256, 512, 1, 2});
  const std::int64_t inputs = 28 * 28 * 256;
  const std::int64_t weights = 512 * 256;
  const std::int64_t outputs = 28 * 28 * 512;
  const std::int64_t array_cycles = 28 * 28 * (256 / 32) * (512 / 32);
  HardwareConfig chip;
  const RunResult skipping = run(chip, {graph, {}}, Values::none);
  CHECK(skipping.activity[Event::dram_read_activation_bytes] == inputs);
  CHECK(skipping.activity[Event::dram_read_weight_bytes] == weights);
  CHECK(skipping.activity[Event::dram_write_activation_bytes] == outputs);
  // Pixels are four whole bursts; only loads of parameters may end within one.
  CHECK(test::bus_bytes(skipping) - test::payload(skipping) < 64 * 16);
  // The weights come first; nothing else is waited for.
  CHECK(skipping.total_cycles < array_cycles + weights * 10 / 128 + array_cycles / 20);
  chip.dma.skips_pixels = false;
  const RunResult whole = run(chip, {graph, {}}, Values::none);
  CHECK(whole.activity[Event::dram_read_activation_bytes] >= 28 * 55 * 256);
}

TEST_CASE("a kernel that is cut into parts reads the rows that a part touches") {
  // 3 x 3, stride 2: of a part of one kernel row every second row of the input, 28 of them.
  GemmProblem problem;
  ConvolutionGeometry& g = problem.geometry;
  g.input = {1, 57, 57, 64};
  g.output = {1, 28, 28, 32};
  g.kernel_h = g.kernel_w = 3;
  g.stride_h = g.stride_w = 2;
  problem.weight_format = problem.activation_format = {8, true};
  problem.input = {g.input, {0, {57 * 57 * 64, 57 * 64, 64}, {8, true}}};
  problem.output = {g.output, {0, {28 * 28 * 32, 28 * 32, 32}, {8, true}}};
  problem.skip_burst_bytes = 64;
  GemmMapping mapping;
  mapping.tile_rows = mapping.tile_columns = 28;
  mapping.pixels_per_pass = 28 * 28;
  mapping.column_tile = 32;
  mapping.part_kernel_h = 1;
  mapping.part_kernel_w = 3;
  mapping.part_channels = 64;
  const GemmCursor cursor(problem, mapping);
  REQUIRE(cursor.steps() == 3);
  for (std::int64_t i = 0; i < 3; ++i) {
    const Reach rows = cursor.step(i).reach.rows;
    CHECK(rows.count == 28);
    CHECK(rows.at(0) == i);
    CHECK(rows.at(27) == i + 54);
    CHECK(cursor.step(i).reach.columns.count == 57);
  }
}

TEST_CASE("strided and dilated convolutions give the same values whatever is skipped") {
  int skipping = 0;
  for (const test::RandomPair& made : pairs(test::draws(kPrograms), 1, test::strided_network)) {
    INFO("seed " << made.seed);
    check_values(made);
    const CompiledProgram compiled = compile(made.network.graph, made.chip, false);
    const InputSkips skips = GemmCursor(std::get<GemmNest>(compiled.program.nests[0])).skips();
    skipping += skips.rows || skips.columns ? 1 : 0;
  }
  CHECK(skipping > test::hits(25));
}

TEST_CASE("the cost of a strided convolution has the bytes of inputs that its loads fetch") {
  int skipping = 0;
  for (const test::RandomPair& made : pairs(test::draws(kPrograms), 5000, test::strided_network)) {
    INFO("seed " << made.seed);
    HardwareConfig chip = made.chip;
    chip.mapper.fetches_inputs = false;
    const CompiledProgram compiled = compile(made.network.graph, chip, false);
    const auto& nest = std::get<GemmNest>(compiled.program.nests[0]);
    const MappingLimits limits = mapping_limits(chip, 1 << 20, 1 << 20);
    GemmMapping resident = nest.mapping();
    resident.input_resident = true;
    const std::int64_t bytes = gemm_cost(nest.problem(), nest.mapping(), chip, limits).dram_bytes -
                               gemm_cost(nest.problem(), resident, chip, limits).dram_bytes;
    CHECK(run(chip, made.network, Values::none).activity[Event::dram_read_activation_bytes] == bytes);
    const InputSkips skips = GemmCursor(nest).skips();
    skipping += skips.rows || skips.columns ? 1 : 0;
  }
  CHECK(skipping > test::hits(25));
}

TEST_CASE("products of activations give the same values however the second operand lies") {
  for (const test::RandomPair& made : pairs(test::draws(kPrograms), 1, product_network)) {
    INFO("seed " << made.seed);
    check_values(made);
  }
}

/// One decoded token: 32 heads, 2,048 keys of 128 int8.
RunResult scores(bool transposed) {
  constexpr std::int64_t kHeads = 32, kKeys = 2048, kDepth = 128;
  test::Choice choice(1);
  test::RandomLayers layers(choice, Semantics::tflite, 8, true);
  const TensorId q = layers.input({1, kHeads, 1, kDepth});
  const TensorId k =
      layers.input(transposed ? Shape{1, kHeads, kKeys, kDepth} : Shape{1, kHeads, kDepth, kKeys});
  return run(HardwareConfig{}, layers.finish(layers.product(q, k, transposed)), Values::none);
}

TEST_CASE("a cache of keys is read once in whole bursts, in either layout") {
  const std::int64_t keys = 32 * 2048 * 128;
  // A block of keys is a quarter of a head's at least, and loads the query again; then scores, and preload
  // and zero point of each.
  const std::int64_t queries = 4 * 32 * 128;
  const std::int64_t others = queries + 32 * 2048 + 2048 * 8 + 64 * 5;
  for (const bool transposed : {true, false}) {
    INFO((transposed ? "[keys, depth]" : "[depth, keys]"));
    const RunResult run = scores(transposed);
    CHECK(run.activity[Event::dram_read_activation_bytes] <= keys + queries);
    CHECK(test::bus_bytes(run) < keys + others + 4096);
    // 12.8 bytes a cycle, and a hundredth for what nothing hides.
    CHECK(run.total_cycles < (keys + others) * 10 / 128 * 101 / 100);
  }
}

TEST_CASE("lines that are no whole bursts are one run where a load takes them whole") {
  // 60 keys of 100 bytes: 6,000 contiguous bytes, 94 bursts; line by line two or three bursts each, 120 at
  // least.
  test::Choice choice(1);
  test::RandomLayers layers(choice, Semantics::tflite, 8, true);
  const TensorId q = layers.input({1, 1, 1, 100});
  const TensorId k = layers.input({1, 1, 60, 100});
  const RunResult product = run(HardwareConfig{}, layers.finish(layers.product(q, k, true)), Values::none);
  // In two blocks at most: two bursts of the query each, three of 32 x 4 + 5 bytes of parameters.
  CHECK(product.activity[Event::dram_read_activation_bytes] <= 6000 + 2 * 100);
  CHECK(product.activity[Event::dram_read_bursts] <= 94 + 1 + 2 * (2 + 3));
}

}  // namespace
}  // namespace qsim
