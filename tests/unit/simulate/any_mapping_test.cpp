// All legal mappings compute the same, in both ways to values and both fidelities: drawn at random, of every
// kind, also where no cost would take them.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "hw_models/core/nest_cursor.h"
#include "sim/compiler/compile.h"
#include "sim/compiler/mapping_file.h"
#include "sim/compiler/reduction_parts.h"
#include "sim/energy/energy_model.h"
#include "sim/report/accounting.h"
#include "sim/simulate.h"
#include "tests/unit/sim/hardware_files.h"
#include "tests/unit/simulate/draws.h"
#include "tests/unit/simulate/layer_graph.h"
#include "tests/unit/simulate/random_mapper.h"
#include "tests/unit/simulate/random_network.h"
#include "tests/unit/simulate/same_run.h"

namespace qsim {
namespace {

using Json = nlohmann::ordered_json;

/// A random chip, with what a machine may have beyond: small arrays, chains, ways out, and what it fixes.
HardwareConfig any_chip(test::Choice& choice) {
  HardwareConfig chip = test::random_chip(choice);
  if (choice.chance(60)) {
    chip.mac_array.rows = choice.between(1, 6);
    chip.mac_array.columns = choice.between(1, 6);
  }
  if (choice.chance(25)) {
    chip.mac_array.dataflows = {chip.mac_array.dataflow};
    for (const Dataflow other :
         {Dataflow::output_stationary, Dataflow::input_stationary, Dataflow::weight_stationary})
      if (other != chip.mac_array.dataflow) chip.mac_array.dataflows.push_back(other);
    chip.activation_buffer.line_buffer = false;  // pixels do not stream in all of them
  }
  if (choice.chance(40)) chip.accumulators.entries = choice.between(20, 200);
  if (choice.chance(60)) {
    chip.requantizer.writes_through = false;
    chip.dma.weight_prefetch = WeightPrefetch::halves;
    chip.dma.channel_order = ChannelOrder::round_robin;
    if (choice.chance(70)) chip.controller.pass_order = PassOrder::even;
  }
  chip.mapper.fuses_chains = choice.chance(60);
  chip.requantizer.fused_add = !chip.requantizer.writes_through && choice.chance(60);
  if (choice.chance(20)) {
    chip.mapper.loop_order = choice.of({FixedLoopOrder::weights_outer, FixedLoopOrder::activations_outer});
  }
  chip.mapper.largest_tiles = choice.chance(10);
  chip.mapper.fetches_inputs = choice.chance(85);
  return chip;
}

test::RandomNetwork any_network(test::Choice& choice) {
  const std::int64_t kind = choice.between(1, 10);
  test::RandomNetwork network = kind <= 4   ? test::random_network(choice)
                                : kind <= 7 ? test::chain_network(choice)
                                : kind <= 9 ? test::residual_network(choice)
                                            : test::strided_network(choice);
  if (!choice.chance(25)) return network;
  auto batched = test::batched(network, choice.between(2, 4));
  return batched ? std::move(*batched) : std::move(network);
}

/// A program of which the mapping is drawn. `layers`: what of it a file gives; null: nothing.
struct AnyProgram {
  std::uint32_t seed = 0;
  test::RandomNetwork network;
  HardwareConfig chip;
  Json layers;
  std::optional<CompiledProgram> compiled;

  /// The same choices each time that one is made.
  [[nodiscard]] std::unique_ptr<const Mapper> mapper() const {
    auto drawn = std::make_unique<test::RandomMapper>(seed);
    if (layers.empty()) return drawn;
    return std::make_unique<PinnedMapper>(parse_mappings({{"layers", layers}}, "mappings.json"),
                                          std::move(drawn));
  }
};

/// What is given may not go together: less and less of it, and in the end nothing. Not compiled where the
/// network does not fit the chip.
AnyProgram any_program(std::uint32_t seed) {
  test::Choice choice(seed);
  AnyProgram made{seed, any_network(choice), any_chip(choice), {}, {}};
  const Graph& graph = made.network.graph;
  validate(graph);
  CompileOutcome own = try_compile(graph, made.chip, *made.mapper(), false);
  if (!own.program) return made;
  made.compiled = std::move(own.program);
  if (choice.chance(25)) return made;
  for (int attempt = 0; attempt < 4; ++attempt) {
    made.layers = test::random_pins(choice, graph, *made.compiled, made.chip);
    CompileOutcome given = try_compile(graph, made.chip, *made.mapper(), false);
    if (!given.program) continue;
    made.compiled = std::move(given.program);
    return made;
  }
  made.layers = {};
  return made;
}

/// Kinds of mappings, and in how many programs they were.
using Seen = std::map<std::string, int>;

void note_product(const GemmNest& nest, std::map<std::string, bool>& kinds) {
  const GemmMapping& m = nest.mapping();
  const GemmProblem& problem = nest.problem();
  const GemmCursor cursor(nest);
  const PartSize part{m.part_kernel_h, m.part_kernel_w, m.part_channels};
  const PartSize whole = whole_reduction(problem);
  kinds["several column tiles of sums that wait"] |=
      cursor.sums_wait() && std::min(m.column_tiles_per_block, cursor.column_tiles()) > 1;
  kinds["kernel rows"] |=
      part.kernel_h < whole.kernel_h && part.kernel_w == whole.kernel_w && part.channels == whole.channels;
  kinds["taps"] |= part.kernel_w < whole.kernel_w;
  kinds["channels of a tap"] |= part.channels < whole.channels && !cuts_all_taps(problem, part);
  kinds["channels of all taps"] |= cuts_all_taps(problem, part);
  kinds["sums that leave"] |= cursor.sums_leave();
  kinds["groups side by side"] |= m.groups_per_tile > 1;
  kinds["fetched inputs"] |= m.fetch_input;
  kinds["skipped pixels"] |= !m.input_resident && (cursor.skips().rows || cursor.skips().columns);
  kinds["weights outside"] |= cursor.blocks() > 1 && m.order == LoopOrder::weights_outer;
  kinds["activations outside"] |= cursor.blocks() > 1 && m.order == LoopOrder::activations_outer;
  kinds["passes in halves"] |= cursor.sums_wait() && m.pass_order == PassOrder::full;
  kinds["products of activations"] |= problem.activation_weights.has_value();
  kinds["ways out"] |= !problem.way_out.empty();
  kinds["addends on ways out"] |= problem.addend() != nullptr;
  kinds["chains"] |= !nest.window.is_all();
}

void note_kinds(const AnyProgram& made, Seen& seen) {
  std::map<std::string, bool> kinds;
  bool some_stay = false;
  bool some_pass = false;
  std::set<Dataflow> dataflows;
  for (const Nest& nest : made.compiled->program.nests) {
    const auto* gemm = std::get_if<GemmNest>(&nest);
    if (gemm == nullptr) continue;
    note_product(*gemm, kinds);
    dataflows.insert(gemm->mapping().dataflow);
    (gemm->mapping().weights_resident ? some_stay : some_pass) = true;
  }
  kinds["several dataflows"] = dataflows.size() > 1;
  kinds["some weights stay"] = some_stay && some_pass;
  kinds["batches in parts"] = made.compiled->program.parts > 1;
  kinds["fixed loop orders"] = made.chip.mapper.loop_order != FixedLoopOrder::any;
  kinds["largest tiles"] = made.chip.mapper.largest_tiles;
  for (const auto& [kind, is_there] : kinds) seen[kind] += is_there ? 1 : 0;
}

void check_ways_of_running(const AnyProgram& made, const EnergyTable& table) {
  INFO("seed " << made.seed << " " << made.layers.dump());
  const auto run = [&](Values values, Fidelity fidelity) {
    const std::unique_ptr<const Mapper> mapper = made.mapper();
    SimulateOptions options;
    options.values = values;
    options.fidelity = fidelity;
    options.dump_tensors = true;
    options.mapper = mapper.get();
    return simulate(made.chip, made.network.graph, made.network.inputs, options);
  };
  const RunResult layer = run(Values::layer, Fidelity::tile);
  const std::int64_t batch = made.network.graph.batch;
  CHECK_NOTHROW(
      check_accounting(layer, summarize(layer, EnergyModel(made.chip, table), batch), made.network.graph));
  test::check_same_run(run(Values::tile, Fidelity::tile), layer);
  if (made.seed % 4 == 0) test::check_same_run(run(Values::tile, Fidelity::pe), layer);
}

/// Programs are made before the first is simulated (see test::random_pairs()).
Seen check_programs(int count, std::uint32_t seed) {
  const EnergyTable table = load_energy_table("45nm", shipped_energy_tables(), "");
  Seen seen;
  constexpr int kAtATime = 500;
  while (count > 0) {
    std::vector<AnyProgram> programs;
    for (; std::ssize(programs) < std::min(count, kAtATime); ++seed) {
      AnyProgram made = any_program(seed);
      if (!made.compiled) continue;
      note_kinds(made, seen);
      made.compiled->program = {};
      programs.push_back(std::move(made));
    }
    for (const AnyProgram& made : programs) check_ways_of_running(made, table);
    count -= static_cast<int>(programs.size());
  }
  return seen;
}

constexpr int kKinds = 21;

void check_each_kind(const Seen& seen, int least) {
  CHECK(std::ssize(seen) == kKinds);
  for (const auto& [kind, programs] : seen) {
    INFO(kind << ": " << programs);
    CHECK(programs >= least);
  }
}

TEST_CASE("mappings of every kind give the same values and cycles in all ways of running") {
  const Seen seen = check_programs(test::drawn(60), 1);
  // Of so few programs some may be of none of the rare kinds; the many below are of all.
  const auto kinds = std::ranges::count_if(seen, [](const auto& kind) { return kind.second > 0; });
  CHECK(kinds >= test::hits_of_list(kKinds - 3));
}

TEST_CASE("many programs with mappings of every kind", "[.][long]") {
  check_each_kind(check_programs(2000, 100'001), 20);
}

TEST_CASE("many mappings of each of some networks", "[.][long]") {
  const EnergyTable table = load_energy_table("45nm", shipped_energy_tables(), "");
  for (const test::RandomPair& pair : test::random_pairs(20, 200)) {
    for (std::uint32_t mapping = 0; mapping < 100; ++mapping) {
      INFO("network " << pair.seed);
      check_ways_of_running({mapping, pair.network, pair.chip, {}, {}}, table);
    }
  }
}

/// 19 pixels in tiles of 10 and 9. With passes of 5 pixels, in halves, the tile of 10 takes 2 passes, and the
/// tile of 9 takes 3: 2, 2 and 5 pixels. A pass takes 5 accumulators, so 15 are needed.
TEST_CASE("accumulators hold the sums of the tile that takes most passes") {
  HardwareConfig chip;
  chip.mac_array.rows = chip.mac_array.columns = 8;
  chip.accumulators.double_buffered = false;
  chip.controller.pass_order = PassOrder::full;
  const Graph graph = test::layer_graph({1, 19, 16, 8, 1});
  const Json mapping = {{"reduction_part", {{"kernel_h", 1}, {"kernel_w", 1}, {"channels", 8}}},
                        {"output_tile", {{"rows", 1}, {"columns", 10}}},
                        {"pixels_per_pass", 5}};
  const PinnedMapper mapper(parse_mappings({{"layers", {{"y", mapping}}}}, "mappings.json"),
                            std::make_unique<CostMapper>());
  chip.accumulators.entries = 14;
  CHECK(try_compile(graph, chip, mapper, false).problems.at(0).problem.place == "layers.y.output_tile.rows");
  chip.accumulators.entries = 15;
  SimulateOptions options;
  options.mapper = &mapper;
  options.dump_tensors = true;
  const RunResult layer = simulate(chip, graph, {test::pattern_input(graph)}, options);
  options.values = Values::tile;
  test::check_same_run(simulate(chip, graph, {test::pattern_input(graph)}, options), layer);
}

}  // namespace
}  // namespace qsim
