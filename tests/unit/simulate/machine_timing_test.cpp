// What real machines add to the template: each field changes the cycles by what it says, to the cycle.
#include <catch2/catch.hpp>

#include <nlohmann/json.hpp>
#include "hw_models/core/nest_cursor.h"

#include "sim/compiler/mapping_file.h"
#include "sim/simulate.h"
#include "tests/unit/simulate/layer_graph.h"

namespace qsim {
namespace {

using test::layer_graph;
using test::LayerSize;

RunResult run(const HardwareConfig& chip, const LayerSize& size) {
  return simulate(chip, layer_graph(size), {}, {Values::none});
}
std::int64_t cycles(const HardwareConfig& chip, const LayerSize& size) {
  return run(chip, size).total_cycles;
}

/// One column tile of 16 pixels in a single pass: nothing of its transfers and drains overlaps with
/// another's.
const LayerSize kOnePass{4, 4, 8, 8, 1};

HardwareConfig one_pass_chip() {
  HardwareConfig chip;
  chip.mac_array.rows = chip.mac_array.columns = 8;
  chip.accumulators.entries = 32;
  chip.requantizer.lanes = 8;
  chip.mapper = {FixedLoopOrder::weights_outer, true, false};
  return chip;
}

TEST_CASE("the first load of a layer waits for the layer's start") {
  HardwareConfig chip = one_pass_chip();
  const std::int64_t before = cycles(chip, kOnePass);
  chip.controller.layer_start_cycles = 17;
  CHECK(cycles(chip, kOnePass) == before + 17);
}

TEST_CASE("a tile may be read ready cycles after its last byte has arrived") {
  HardwareConfig chip = one_pass_chip();
  const std::int64_t before = cycles(chip, kOnePass);
  // Weights and inputs both are there long before the later of the two plus 1,000 cycles.
  for (std::int64_t* field : {&chip.dma.weight_ready_cycles, &chip.dma.input_ready_cycles}) {
    *field = 1000;
    const std::int64_t late = cycles(chip, kOnePass);
    *field = 1001;
    CHECK(cycles(chip, kOnePass) == late + 1);
    CHECK(late > before);
    *field = 0;
  }
}

TEST_CASE("rows of the accumulators are read one at a time, all columns whether used or not") {
  HardwareConfig chip = one_pass_chip();
  chip.requantizer.lanes = 1;
  // 16 pixels of 3 channels share the lane: 48 cycles. Row by row: 16 x (1 + 8).
  const LayerSize three{4, 4, 8, 3, 1};
  const std::int64_t shared = cycles(chip, three);
  chip.requantizer.row_read_cycles = 1;
  CHECK(cycles(chip, three) == shared - 48 + 16 * (1 + 8));
  chip.requantizer.row_read_cycles = 3;
  CHECK(cycles(chip, three) == shared - 48 + 16 * (3 + 8));
  chip.requantizer.lanes = 5;  // 8 columns in two cycles
  CHECK(cycles(chip, three) == shared - 48 + 16 * (3 + 2));
}

TEST_CASE("accumulators recover between runs, spare entries hide a pixel's cycles each") {
  // 64 pixels of one channel group in passes of 16, bound by the requantizer: 9 cycles a pixel.
  const LayerSize four_passes{8, 8, 8, 8, 1};
  HardwareConfig chip = one_pass_chip();
  chip.requantizer.lanes = 1;
  chip.requantizer.row_read_cycles = 1;
  const std::int64_t before = cycles(chip, four_passes);
  chip.requantizer.turnaround_cycles = 38;
  // Nothing waits for the accumulators of the last run.
  CHECK(cycles(chip, four_passes) == before + 3 * 38);
  // Halves of 17 entries: the same four passes of 16, one entry to spare.
  chip.accumulators.entries = 34;
  CHECK(cycles(chip, four_passes) == before + 3 * (38 - 9));
  chip.accumulators.entries = 32 + 10;  // five entries to spare: 45 cycles
  CHECK(cycles(chip, four_passes) == before);
}

TEST_CASE("with stationary inputs entries of accumulators are channels") {
  // 64 pixels in passes of 8 columns, 8 channels in two column tiles of 4: 16 runs of 4 entries, bound by the
  // requantizer: 32 outputs on one lane.
  const LayerSize size{8, 8, 8, 8, 1};
  HardwareConfig chip = one_pass_chip();
  chip.mac_array.dataflow = Dataflow::input_stationary;
  chip.accumulators.entries = 8;
  chip.requantizer.lanes = 1;
  const std::int64_t before = cycles(chip, size);
  chip.requantizer.turnaround_cycles = 38;
  CHECK(cycles(chip, size) == before + 15 * 38);
  // Halves of 5 entries: one to spare, which takes 32 / 4 cycles.
  chip.accumulators.entries = 10;
  CHECK(cycles(chip, size) == before + 15 * (38 - 8));
  // Entry by entry: 4 x (1 + 8) cycles a run.
  chip.requantizer.turnaround_cycles = 0;
  chip.requantizer.row_read_cycles = 1;
  CHECK(cycles(chip, size) == before + 16 * (4 * 9 - 32));
}

TEST_CASE("groups side by side follow each other after their reduction where outputs stay") {
  // 4 pixels of 64 groups of one channel: 8 passes of 8 groups. A pass streams 9 elements, its groups' 4 sums
  // leave over buses of their own meanwhile; it has drained after 9 + 32 + 32 - 2 = 71 cycles. Its 32 outputs
  // take the lanes 1 cycle and are written 4 cycles later. The accumulators hold two passes: pairs that are 9
  // cycles apart follow each other after 72.
  HardwareConfig chip;
  chip.mac_array.dataflow = Dataflow::output_stationary;
  chip.dram.kind = DramKind::none;
  CHECK(cycles(chip, {2, 2, 64, 64, 3, 1, 64}) == 3 * 72 + 9 + 71 + 1 + 4);
}

TEST_CASE("writes of a channel of their own do not delay reads") {
  // Loads and stores overlap: as many bytes out as in.
  const LayerSize size{64, 64, 16, 16, 1};
  HardwareConfig chip;
  chip.dram.bandwidth_bytes_per_second = 1'000'000'000;
  chip.activation_buffer.capacity_kib = 16;
  const std::int64_t shared = cycles(chip, size);
  chip.dram.write_bandwidth_bytes_per_second = 1'000'000'000;
  const std::int64_t apart = cycles(chip, size);
  CHECK(shared >= 2 * 64 * 64 * 16);
  CHECK(apart >= 64 * 64 * 16);
  CHECK(apart < shared * 2 / 3);
  // The last write ends a latency later.
  chip.dram.write_latency_cycles = 50;
  CHECK(cycles(chip, size) >= apart + 50);
}

TEST_CASE("writing through overlaps the stores of a tile with its computing") {
  // One tile of 256 pixels: 2,048 bytes in and out at 2 bytes a cycle, 9 x 256 cycles of computing between
  // them.
  const LayerSize size{16, 16, 8, 8, 3};
  HardwareConfig chip = one_pass_chip();
  chip.dram.bandwidth_bytes_per_second = 2'000'000'000;
  chip.activation_buffer.double_buffered = false;
  const std::int64_t by_tile = cycles(chip, size);
  chip.requantizer.writes_through = true;
  const RunResult by_pass = run(chip, size);
  // All passes but the last are stored while others compute.
  CHECK(by_pass.total_cycles < by_tile - 1024 * 3 / 4);
  CHECK(by_pass.activity[Event::dram_write_activation_bytes] == 16 * 16 * 8);
}

TEST_CASE("a ring of weights starts with the first column tile") {
  // 32 column tiles of 512 weights; the whole layer's fit into the buffer. A burst of 8 bytes takes 8 cycles
  // on the bus and arrives 100 later; 64 inputs are 8 bursts.
  const LayerSize size{1, 1, 64, 256, 1};
  HardwareConfig chip = one_pass_chip();
  chip.dram.bandwidth_bytes_per_second = 1'000'000'000;
  chip.dram.burst_bytes = 8;
  chip.dma.setup_cycles = 0;
  // Behind n passes of a pixel: the first one's loading, one every 8 cycles, the skew of the last, a cycle of
  // the lanes and 4 until the outputs are written.
  const auto passes = [](std::int64_t n) { return 8 + 8 * (n - 1) + 1 + 8 + 8 - 2 + 1 + 4; };
  // All inputs, weights and parameters (5 + 256 * 4 bytes); then 256 passes; then the store of all outputs.
  const auto given =
      nlohmann::ordered_json::parse(R"({"operations": {"conv2d": {"column_tiles_per_block": 32}}})");
  const PinnedMapper one_block(parse_mappings(given, "pins"), std::make_unique<CostMapper>());
  SimulateOptions options{Values::none};
  options.mapper = &one_block;
  CHECK(simulate(chip, layer_graph(size), {}, options).total_cycles ==
        8 * (8 + 2048 + 129) + 100 + passes(256) + 256 + 100);
  // Parameters tile by tile, 37 bytes each that lie in 5 bursts or, from the fifth byte of a burst on, in 6.
  // Behind the last weights come 8 passes and the store of one tile; before them all stores but two, of which
  // one is the last tile's and one comes while the last weights have the bus.
  chip.dma.weight_prefetch = WeightPrefetch::ring;
  CHECK(cycles(chip, size) == 8 * (8 + 2048 + 16 * 5 + 16 * 6 + 30) + 100 + passes(8) + 8 + 100);
}

TEST_CASE("weights take whole granules, pixels of the array's tensors whole atoms") {
  HardwareConfig chip = one_pass_chip();
  chip.dram.burst_bytes = 8;
  chip.dma.transaction_bytes = 8;
  const LayerSize size{4, 4, 3, 3, 1};
  // 16 pixels of 3 bytes are 48 contiguous bytes; in atoms of 8 each pixel takes a burst of its own.
  const RunResult packed = run(chip, size);
  CHECK(packed.activity[Event::dram_write_bursts] == 6);
  CHECK(packed.activity[Event::dram_read_weight_bytes] == 9);
  chip.dma.pixel_granule_bytes = 8;
  chip.dma.weight_granule_bytes = 128;
  const RunResult atoms = run(chip, size);
  CHECK(atoms.activity[Event::dram_write_bursts] == 16);
  CHECK(atoms.activity[Event::dram_write_activation_bytes] == 48);
  CHECK(atoms.activity[Event::dram_read_activation_bytes] == 48);
  CHECK(atoms.activity[Event::dram_read_weight_bytes] == 128);
}

TEST_CASE("the input channel pauses after lines, and in upper lines after every second transaction") {
  // 8 rows of 6 pixels of 32 channels: four lines of 6 atoms of 8 bytes a row. A beat a cycle.
  const LayerSize size{8, 6, 32, 8, 1};
  HardwareConfig chip = one_pass_chip();
  chip.dram.burst_bytes = chip.dma.transaction_bytes = 8;
  chip.dram.bandwidth_bytes_per_second = 8'000'000'000;
  chip.dram.outstanding_requests = 1000;
  chip.activation_buffer.double_buffered = false;
  chip.dma.weight_prefetch = WeightPrefetch::ring;
  // Setting up takes the weights so long that all inputs are requested before them.
  const auto pauses = [&](std::int64_t line_gap, std::int64_t upper_gap) {
    chip.dma.line_gap_cycles = line_gap;
    chip.dma.upper_atom_gap_cycles = upper_gap;
    return cycles(chip, size);
  };
  const std::int64_t before = pauses(0, 0);
  // A pause at the end of each of the 32 lines delays the first beat of the next; the last delays nothing.
  CHECK(pauses(1, 0) == before + 31);
  CHECK(pauses(3, 0) == before + 3 * 31);
  // Lines 2 and 3 of each row: after atoms 1, 3 and 5. The last of a line coincides with the line's own.
  CHECK(pauses(0, 1) == before + 8 * 2 * 3 - 1);
  CHECK(pauses(1, 1) == before + 31 + 8 * 2 * 2);
  // A slow memory hides them.
  chip.dram.bandwidth_bytes_per_second = 4'000'000'000;
  CHECK(pauses(1, 1) == pauses(0, 0));
}

TEST_CASE("even passes differ by one pixel at most") {
  for (std::int64_t pixels = 1; pixels <= 200; ++pixels) {
    for (const std::int64_t most : {1, 7, 16, 300}) {
      const PassCut cut(pixels, most, PassOrder::even);
      CHECK(cut.count() == ceil_div(pixels, most));
      CHECK(cut.begin(0) == 0);
      CHECK(cut.end(cut.count() - 1) == pixels);
      for (std::int64_t pass = 0; pass < cut.count(); ++pass) {
        CHECK(cut.end(pass) - cut.begin(pass) <= ceil_div(pixels, cut.count()));
        CHECK(cut.end(pass) - cut.begin(pass) >= pixels / cut.count());
      }
    }
  }
}

TEST_CASE("full passes are cut as NVDLA's sequence generator cuts stripes") {
  // The rule of NV_NVDLA_CSC_sg.v, stripe by stripe.
  for (std::int64_t pixels = 1; pixels <= 300; ++pixels) {
    for (const std::int64_t most : {2, 16, 64}) {
      const PassCut cut(pixels, most, PassOrder::full);
      std::int64_t pass = 0;
      for (std::int64_t done = 0; done < pixels; ++pass) {
        const std::int64_t left = pixels - done;
        const std::int64_t stripe = left >= 2 * most ? most : left <= most ? left : most / 2;
        CHECK(cut.begin(pass) == done);
        CHECK(cut.end(pass) == done + stripe);
        done += stripe;
      }
      CHECK(cut.count() == pass);
    }
  }
}

}  // namespace
}  // namespace qsim
