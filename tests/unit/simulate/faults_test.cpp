// A fault in a memory, an address or a dependency shows in the output: the values really pass through the
// chip.
#include <catch2/catch.hpp>

#include "hw_models/core/buffer_storage.h"
#include "hw_models/run_chip.h"
#include "sim/chip_values.h"
#include "sim/compiler/compile.h"
#include "tests/unit/simulate/layer_graph.h"

namespace qsim {
namespace {

/// Four column tiles on an array of 16x10, so weights stream through two slots.
constexpr test::LayerSize kConvolution{12, 12, 16, 40, 3};

HardwareConfig small_chip() {
  HardwareConfig chip;
  chip.mac_array.rows = 16;
  chip.mac_array.columns = 10;
  chip.weight_buffer.capacity_kib = 5;
  chip.activation_buffer.capacity_kib = 6;
  chip.accumulators.entries = 64;
  chip.mapper.fetches_inputs = false;
  return chip;
}

struct Bench {
  Graph graph = test::layer_graph(kConvolution);
  HardwareConfig chip = small_chip();
  CompiledProgram compiled = compile(graph, chip, true);

  Bench() { add_input_image(compiled, 0, test::pattern_input(graph)); }

  [[nodiscard]] const GemmNest& nest() const { return std::get<GemmNest>(compiled.program.nests[0]); }

  /// Puts the data of the layer elsewhere.
  void move(const std::function<void(GemmPlacement&)>& change) {
    GemmPlacement placement = nest().placement();
    change(placement);
    GemmNest moved(nest().row, nest().problem(), nest().mapping(), placement);
    moved.weights_loaded = nest().weights_loaded;
    compiled.program.nests[0] = moved;
  }

  /// True when a run of this bench gives `golden`.
  [[nodiscard]] bool gives(const TensorData& golden, std::int64_t probe_cycle = -1,
                           std::function<void(ChipMemory&)> probe = {}) const {
    return run(probe_cycle, std::move(probe)).bytes == golden.bytes;
  }

  TensorData run(std::int64_t probe_cycle = -1, std::function<void(ChipMemory&)> probe = {}) const {
    ChipValues values(graph, compiled);
    ChipOptions options;
    options.moves_values = true;
    options.on_row_complete = [&](std::int32_t row, RowWindow window, const ChipMemory& memory) {
      values.collect(row, window, memory);
    };
    options.probe_cycle = probe_cycle;
    options.probe = std::move(probe);
    (void)run_chip(chip, compiled.program, options);
    return values.outputs({test::pattern_input(graph)})[0].data;
  }
};

TEST_CASE("the weights of the test network stream through two slots") {
  Bench bench;
  REQUIRE(bench.compiled.program.weight_slots.size() == 2);
  CHECK(bench.nest().placement().weight_blocks.size() >
        3);  // more blocks than slots: the slots are used again
  CHECK_FALSE(bench.nest().placement().input.resident);
}

TEST_CASE("a flipped bit in a buffer changes the output") {
  const Bench bench;
  const TensorData golden = bench.run();
  CHECK(bench.gives(golden));  // the reference is stable

  constexpr std::int64_t kDuringFirstTiles = 400;
  const std::int64_t weight = bench.compiled.program.weight_slots[0] * 8 + 5;
  CHECK_FALSE(bench.gives(golden, kDuringFirstTiles, [&](ChipMemory& memory) {
    for (std::int64_t word = 0; word < 64; ++word) memory.flip_weight_buffer_bit(weight + 32 * word);
  }));

  const std::int64_t input = bench.nest().placement().input.slots[0] * 8 + 6;
  CHECK_FALSE(bench.gives(golden, kDuringFirstTiles, [&](ChipMemory& memory) {
    for (std::int64_t word = 0; word < 64; ++word) memory.flip_activation_buffer_bit(input + 32 * word);
  }));
}

TEST_CASE("a shifted address changes the output") {
  const TensorData golden = Bench().run();
  SECTION("where activations are loaded from") {
    Bench bench;
    bench.move([](GemmPlacement& placement) { placement.input.dram.base += 1; });
    bench.compiled.program.dram_bytes += 64;
    CHECK_FALSE(bench.gives(golden));
  }
  SECTION("where the array reads activations") {
    Bench bench;
    bench.move([](GemmPlacement& placement) { placement.input.buffer.strides[2] += 1; });
    CHECK_FALSE(bench.gives(golden));
  }
  SECTION("where weights are loaded from") {
    Bench bench;
    bench.move([](GemmPlacement& placement) { placement.weights_dram_base -= 1; });
    CHECK_FALSE(bench.gives(golden));
  }
  SECTION("where outputs are written") {
    Bench bench;
    bench.move([](GemmPlacement& placement) {
      placement.output.buffer.strides[2] += 1;
      placement.output.slots[1] -= 64;
    });
    CHECK_FALSE(bench.gives(golden));
  }
}

TEST_CASE("a wrong dependency changes the output") {
  const TensorData golden = Bench().run();
  Bench bench;
  // One credit more than there are slots: a load overwrites weights that the array still reads.
  bench.compiled.program.weight_credits += 1;
  bench.compiled.program.parameter_credits += 1;
  CHECK_FALSE(bench.gives(golden));
}

TEST_CASE("an address outside a buffer is an internal error") {
  BufferStorage buffer("buffer", BufferConfig{}.capacity_bytes());
  const std::int64_t bits = 8 * BufferConfig{}.capacity_bytes();
  CHECK_NOTHROW(buffer.write(bits - 8, {8, true}, 1));
  CHECK_THROWS_AS(buffer.write(bits - 7, {8, true}, 1), std::logic_error);
  CHECK_THROWS_AS(buffer.read(-8, {8, true}), std::logic_error);
  CHECK_THROWS_AS(buffer.bytes(BufferConfig{}.capacity_bytes(), 1), std::logic_error);
}

}  // namespace
}  // namespace qsim
