// Bank conflicts, bursts that meet reads, and full queues: one cycle early and exactly on time.
#include <catch2/catch.hpp>

#include "hw_models/core/accumulator_bank.h"
#include "hw_models/core/completions.h"
#include "hw_models/core/mac_array.h"
#include "hw_models/core/sram_buffer.h"
#include "hw_models/core/tile_datapath.h"
#include "hw_models/simulation_context.h"

namespace qsim {
namespace {

constexpr std::int64_t kRows = 8, kColumns = 4, kPixels = 10;
/// Load, stream at one step a cycle, drain.
constexpr std::int64_t kUndisturbed = kRows + kPixels + kRows + kColumns - 2;
/// Not in the cycle before, but in the expected one.
constexpr std::pair<std::int64_t, std::int64_t> kReadyThen{0, 1};

GemmProblem matrix_product() {
  GemmProblem problem;
  problem.geometry.input = {1, 1, kPixels, kRows};
  problem.geometry.output = {1, 1, kPixels, kColumns};
  return problem;
}

struct Bench {
  explicit Bench(const BufferConfig& activations)
      : completions("completions", processes),
        weight_buffer("weights", BufferConfig{}, kWeightBufferEvents, false, recorder, processes),
        activation_buffer("activations", activations, kActivationBufferEvents, false, recorder, processes),
        accumulators(AccumulatorConfig{}, kColumns, false, recorder.accumulators),
        ports{weight_buffer, activation_buffer, 1},
        datapath(array_config(), ports, accumulators, weight_buffer, activation_buffer, completions, false,
                 recorder),
        array("array", array_config(), ports, datapath, recorder, processes) {
    array.tiles(tiles);
    array.weight_buffer(weight_buffer);
    array.activation_buffer(activation_buffer);
  }

  static MacArrayConfig array_config() {
    MacArrayConfig config;
    config.rows = kRows;
    config.columns = kColumns;
    return config;
  }

  /// Runs one pass of kPixels pixels of 8 bytes; whether its accumulators are ready at the end of the cycle
  /// before `expected`, and of that one.
  std::pair<std::int64_t, std::int64_t> run_pass(std::int64_t expected) {
    GemmProblem problem = matrix_product();
    problem.weight_format = problem.activation_format = {8, true};
    GemmMapping mapping;
    mapping.chunk_rows = kRows;
    const GemmNest nest(0, problem, mapping, {});
    MacTile tile;
    tile.nest = &nest;
    tile.columns = {0, kColumns, 0, 1};
    tile.part = {0, 1, 0, 1, 0, kRows};
    tile.chunk_depth = kRows;
    tile.output = {{0, 0, 0, 0}, {1, 1, kPixels, kColumns}};
    tile.pixel_end = kPixels;
    tile.input.strides = {kPixels * kRows, kPixels * kRows, kRows};
    tile.input.format = {8, true};
    tile.accumulated.add({&accumulators_ready});
    tiles.nb_write(tile);
    tiles.nb_write(MacTile{});
    std::int64_t before = -1;
    std::int64_t at = -1;
    const auto sample = [this](std::int64_t cycle, std::int64_t& credits) {
      sc_core::sc_spawn([this, cycle, &credits] {
        wait_until(cycle);
        for (int delta = 0; delta < 5; ++delta) sc_core::wait(sc_core::SC_ZERO_TIME);
        credits = accumulators_ready.credits();
      });
    };
    sample(expected - 1, before);
    sample(expected, at);
    sc_core::sc_start();
    return {before, at};
  }

  SimulationContext simulation;
  Recorder recorder{1};
  Processes processes;
  Completions completions;
  SramBuffer weight_buffer;
  SramBuffer activation_buffer;
  AccumulatorBank accumulators;
  ArrayPorts ports;
  TileDatapath datapath;
  MacArray array;
  sc_core::sc_fifo<MacTile> tiles{"tiles", MacArray::kQueueDepth};
  Token accumulators_ready;
};

BufferConfig banked(std::int64_t banks, std::int64_t read_ports) {
  BufferConfig config;
  config.read_port_bytes = 4;
  config.banks = banks;
  config.read_ports = read_ports;
  config.bank_conflicts = true;
  return config;
}

TEST_CASE("words of the same bank are read one after the other") {
  const Bench bench(banked(4, 4));
  const std::vector<std::int64_t> conflict = {0, 4, 5};  // banks 0, 0, 1
  const std::vector<std::int64_t> none = {0, 5, 10};     // banks 0, 1, 2
  CHECK(bench.activation_buffer.access(conflict).cycles == 2);
  CHECK(bench.activation_buffer.access(none).cycles == 1);
  CHECK(bench.activation_buffer.access(none).words == 3);
}

TEST_CASE("a bank conflict in every step doubles the stream and nothing else") {
  // A pixel is two words: in banks 0 and 1 of two, or twice in the only one.
  CHECK(Bench(banked(2, 2)).run_pass(kUndisturbed) == kReadyThen);
  const std::int64_t doubled = kUndisturbed + kPixels - 1;
  CHECK(Bench(banked(1, 2)).run_pass(doubled) == kReadyThen);
  CHECK(Bench(banked(2, 1)).run_pass(doubled) == kReadyThen);
}

std::pair<std::int64_t, std::int64_t> with_burst(Arbitration arbitration, std::int64_t cycle,
                                                 std::int64_t expected) {
  BufferConfig config;
  config.arbitration = arbitration;
  Bench bench(config);
  bench.completions.at(cycle, [&] { bench.activation_buffer.write_burst(3, [] {}); });
  return bench.run_pass(expected);
}

TEST_CASE("where writes go first a burst of 3 beats holds up the steps that follow") {
  constexpr std::int64_t kLastStep = kRows + kPixels - 1;
  for (const std::int64_t cycle : {kRows, kRows + 4, kLastStep - 1}) {
    CHECK(with_burst(Arbitration::write_first, cycle, kUndisturbed + 3) == kReadyThen);
  }
  // With the last step in the array, and one cycle too late for it.
  CHECK(with_burst(Arbitration::write_first, kLastStep, kUndisturbed) == kReadyThen);
  CHECK(with_burst(Arbitration::fixed, kRows, kUndisturbed) == kReadyThen);
}

TEST_CASE(
    "reads through the array's ports hold up its steps, whoever goes first where writes are concerned") {
  constexpr std::int64_t kLastStep = kRows + kPixels - 1;
  const auto with_reads = [](Arbitration arbitration, std::int64_t cycle, std::int64_t expected) {
    BufferConfig config;
    config.arbitration = arbitration;
    Bench bench(config);
    bench.activation_buffer.share_reads();
    std::int64_t accepted = -1;
    bench.completions.at(cycle,
                         [&] { bench.activation_buffer.read_burst(3, [&] { accepted = now_cycle(); }); });
    const bool is_ready_then = bench.run_pass(expected) == kReadyThen;
    return is_ready_then ? accepted : -1;
  };
  for (const std::int64_t cycle : {kRows, kRows + 4, kLastStep - 1}) {
    CHECK(with_reads(Arbitration::fixed, cycle, kUndisturbed + 3) == cycle);
    CHECK(with_reads(Arbitration::write_first, cycle, kUndisturbed + 3) == cycle);
  }
  CHECK(with_reads(Arbitration::fixed, kLastStep, kUndisturbed) == kLastStep);
  CHECK(with_reads(Arbitration::read_first, kRows + 4, kUndisturbed) == kRows + kPixels);
}

TEST_CASE("where reads go first a burst waits for the end of the stream, and holds up the next") {
  CHECK(with_burst(Arbitration::read_first, kRows + 4, kUndisturbed) == kReadyThen);
  // Before the stream: it takes cycles 8 to 10, and the pass streams from 11 on.
  CHECK(with_burst(Arbitration::read_first, kRows - 1, kUndisturbed + 3) == kReadyThen);
  BufferConfig config;
  config.arbitration = Arbitration::read_first;
  Bench bench(config);
  std::int64_t accepted = -1;
  bench.completions.at(kRows + 4,
                       [&] { bench.activation_buffer.write_burst(3, [&] { accepted = now_cycle(); }); });
  bench.run_pass(kUndisturbed);
  CHECK(accepted == kRows + kPixels);
}

TEST_CASE("a full queue of tiles takes the next one when the array takes one out") {
  Bench bench(BufferConfig{});
  const GemmNest nest(0, matrix_product(), {}, {});
  MacTile tile;
  tile.nest = &nest;
  tile.columns = {0, kColumns, 0, 1};
  tile.part = {0, 1, 0, 1, 0, kRows};
  tile.chunk_depth = kRows;
  tile.output = {{0, 0, 0, 0}, {1, 1, kPixels, kColumns}};
  tile.pixel_end = kPixels;
  std::vector<std::int64_t> written;
  sc_core::sc_spawn([&] {
    for (int i = 0; i < 7; ++i) {
      bench.tiles.write(tile);
      written.push_back(now_cycle());
    }
    bench.tiles.write(MacTile{});
    written.push_back(now_cycle());
  });
  sc_core::sc_start();
  // The first tile is being loaded and four wait. The sixth goes in when the second is taken out, which waits
  // for its registers until the first streams; the seventh when the second is loaded and the third waits for
  // registers: the first streams until 8 + 10. Then the third is loaded.
  CHECK(written == std::vector<std::int64_t>{0, 0, 0, 0, 0, kRows, 2 * kRows, kRows + kPixels + kRows});
}

TEST_CASE("a burst behind another one gets the ports when that has left them") {
  struct Case {
    Arbitration arbitration;
    std::int64_t first, second;
  };
  // Bursts of 3 and 2 beats arrive in cycles 2 and 3. The beats take cycles 3 to 5 and 6 to 7; where writes
  // go first they are accepted in the cycle before.
  for (const Case& expected : {Case{Arbitration::fixed, 2, 3}, Case{Arbitration::write_first, 2, 5},
                               Case{Arbitration::read_first, 3, 6}}) {
    BufferConfig config;
    config.arbitration = expected.arbitration;
    Bench bench(config);
    std::int64_t first = -1;
    std::int64_t second = -1;
    bench.completions.at(2, [&] { bench.activation_buffer.write_burst(3, [&] { first = now_cycle(); }); });
    bench.completions.at(3, [&] { bench.activation_buffer.write_burst(2, [&] { second = now_cycle(); }); });
    bench.tiles.nb_write(MacTile{});
    sc_core::sc_start(cycles_to_time(100));
    CHECK(first == expected.first);
    CHECK(second == expected.second);
  }
}

TEST_CASE("where reads go first bursts follow one another behind the stream") {
  BufferConfig config;
  config.arbitration = Arbitration::read_first;
  Bench bench(config);
  std::vector<std::int64_t> accepted;
  for (const std::int64_t cycle : {kRows + 4, kRows + 5}) {
    bench.completions.at(
        cycle, [&] { bench.activation_buffer.write_burst(3, [&] { accepted.push_back(now_cycle()); }); });
  }
  bench.run_pass(kUndisturbed);
  CHECK(accepted == std::vector<std::int64_t>{kRows + kPixels, kRows + kPixels + 3});
}

}  // namespace
}  // namespace qsim
