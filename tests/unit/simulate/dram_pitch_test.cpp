// Pixels in DRAM begin at whole bursts where tiles that take part of their channels touch fewer bursts so.
#include <catch2/catch.hpp>

#include "sim/compiler/compile.h"
#include "sim/compiler/gemm_tiles.h"
#include "sim/compiler/schedule.h"
#include "sim/simulate.h"
#include "tests/unit/simulate/layer_graph.h"
#include "tests/unit/simulate/runs.h"

namespace qsim {
namespace {

constexpr std::int64_t kBurst = 64;

RunResult run(const HardwareConfig& chip, const Graph& graph, Values values) {
  SimulateOptions options;
  options.values = values;
  options.dump_tensors = values != Values::none;
  std::vector<TensorData> inputs;
  if (values != Values::none) inputs.push_back(test::pattern_input(graph));
  return simulate(chip, graph, inputs, options);
}

/// Bytes from one pixel of the network's input to the next, in DRAM.
std::int64_t pixel_stride(const Graph& graph, const HardwareConfig& chip) {
  return compile(graph, chip, false).placement(graph.inputs[0], 0).dram.strides[2];
}

TEST_CASE("a piece of a pitched pixel begins at a burst, a whole pixel leaves a gap") {
  const Dims dims{1, 1, 512, 3616};
  TensorView view{dims, dense_layout(dims, {8, true}, 0)};
  const auto granule = [&](const Dims& tile) { return runs_of(view, tile).granule; };
  CHECK(granule({1, 1, 256, 64}) == 32);  // gcd(3616, 64)
  CHECK(runs_of(view, {1, 1, 256, 3616}).bytes == 256 * 3616);
  view.pitch_bytes = kBurst;  // may begin there: of a part it is reckoned so, the whole as it is
  CHECK(granule({1, 1, 256, 64}) == 64);
  CHECK(runs_of(view, {1, 1, 256, 3616}).bytes == 256 * 3616);
  view = {dims, dense_layout(dims, {8, true}, 0, kBurst)};  // does
  CHECK(view.layout.strides[2] == 57 * kBurst);
  CHECK(granule({1, 1, 256, 64}) == 64);
  CHECK(runs_of(view, {1, 1, 256, 3616}).bytes == 3616);
}

TEST_CASE("rows of half a burst more than whole ones touch half a burst more, whatever part is read") {
  // 512 x 3616 x 1024, which the accumulators cut into parts of the reduction.
  const Graph graph = test::layer_graph({16, 32, 3616, 1024});
  const HardwareConfig chip;
  REQUIRE(chip.dram.burst_bytes == kBurst);
  REQUIRE(pixel_stride(graph, chip) == 57 * kBurst);
  const RunResult found = run(chip, graph, Values::none);
  const std::int64_t read = found.activity[Event::dram_read_activation_bytes];
  REQUIRE(read % (512 * 3616) == 0);
  // Each time that a row is read the last burst is half empty; blocks of parameters may begin within bursts.
  CHECK(test::bus_bytes(found) - test::payload(found) < read / 3616 * kBurst / 2 + 2 * kBurst * 32);
}

TEST_CASE("whole pixels lie one behind the other") {
  CHECK(pixel_stride(test::layer_graph({16, 32, 3584, 1024}), {}) == 3584);  // whole bursts
  CHECK(pixel_stride(test::layer_graph({32, 32, 160, 32}), {}) == 160);      // read whole
}

TEST_CASE("what lies at bursts has the same values") {
  // So few pixels that it pays to begin with part of the weights.
  const Graph graph = test::layer_graph({4, 4, 160, 32});
  const HardwareConfig chip;
  REQUIRE(pixel_stride(graph, chip) == 3 * kBurst);
  const RunResult layer = run(chip, graph, Values::layer);
  const RunResult tile = run(chip, graph, Values::tile);
  REQUIRE(tile.dump.size() == layer.dump.size());
  for (std::size_t i = 0; i < tile.dump.size(); ++i)
    CHECK((tile.dump[i].data.bytes == layer.dump[i].data.bytes));
  CHECK(tile.total_cycles == layer.total_cycles);
  CHECK(tile.activity.counts == layer.activity.counts);
}

TEST_CASE("a memory that is large enough for dense tensors is large enough") {
  // 930 x 1056 + 930 x 32 + 1056 x 32 bytes and parameters are just under a MiB, 930 x 1088 and the rest
  // over.
  const Graph graph = test::layer_graph({30, 31, 1056, 32});
  HardwareConfig chip;
  chip.activation_buffer.capacity_kib = 16;
  chip.dram.capacity_mib = 2;
  CHECK(pixel_stride(graph, chip) == 17 * kBurst);
  chip.dram.capacity_mib = 1;
  CHECK(pixel_stride(graph, chip) == 1056);
}

}  // namespace
}  // namespace qsim
