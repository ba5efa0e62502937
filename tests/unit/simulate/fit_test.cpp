// What a chip lacks: the value that a problem names is enough, and one less is not.
#include <catch2/catch.hpp>
#include <map>

#include "base/error.h"
#include "sim/compiler/compile.h"
#include "sim/simulate.h"
#include "tests/unit/simulate/draws.h"
#include "tests/unit/simulate/layer_graph.h"
#include "tests/unit/simulate/random_network.h"

namespace qsim {
namespace {

const std::string kWeights = "weight_buffer.capacity_kib";
const std::string kActivations = "activation_buffer.capacity_kib";

std::int64_t& field_of(HardwareConfig& chip, const std::string& name) {
  if (name == "dram.capacity_mib") return chip.dram.capacity_mib;
  return (name == kWeights ? chip.weight_buffer : chip.activation_buffer).capacity_kib;
}

/// Whether some problem wants a DRAM, and no other remedy beside it.
bool wants_dram(const std::vector<CompileProblem>& problems) {
  return std::ranges::any_of(
      problems, [](const CompileProblem& p) { return p.problem.hint == "set dram.kind to simple"; });
}

/// "[..]raise FIELD to N" of every problem: fields and their values.
std::map<std::string, std::int64_t> remedies(const std::vector<CompileProblem>& problems) {
  std::map<std::string, std::int64_t> found;
  for (const CompileProblem& p : problems) {
    const std::string& hint = p.problem.hint;
    const std::size_t raise = hint.find("raise ");
    if (raise == std::string::npos) continue;
    const std::size_t to = hint.find(" to ", raise);
    const std::string field = hint.substr(raise + 6, to - raise - 6);
    const std::int64_t value = std::stoll(hint.substr(to + 4));
    const auto [entry, is_new] = found.emplace(field, value);
    CHECK((is_new || entry->second == value));  // One value a field, whatever the layer.
  }
  return found;
}

bool runs(const Graph& graph, const HardwareConfig& chip) {
  return try_compile(graph, chip, false).program.has_value();
}

/// Holds the remedies to what they say; the number of fields that were too small.
std::size_t check_remedies(const Graph& graph, const HardwareConfig& chip) {
  const CompileOutcome outcome = try_compile(graph, chip, false);
  CHECK(outcome.program.has_value() == outcome.problems.empty());
  const std::map<std::string, std::int64_t> found = remedies(outcome.problems);
  std::size_t lacked = found.size();
  HardwareConfig mended = chip;
  if (wants_dram(outcome.problems)) {
    mended.dram.kind = DramKind::simple;
    ++lacked;
  }
  for (const auto& [field, value] : found) field_of(mended, field) = value;
  CHECK(runs(graph, mended));
  for (const auto& [field, value] : found) {
    INFO(field << " " << value);
    const std::int64_t banks = (field == kWeights ? chip.weight_buffer : chip.activation_buffer).banks;
    HardwareConfig less = mended;
    std::int64_t& kib = field_of(less, field);
    CHECK((field == "dram.capacity_mib" || kib * 1024 % banks == 0));
    for (--kib; field != "dram.capacity_mib" && kib * 1024 % banks != 0;) --kib;
    CHECK_FALSE(runs(graph, less));
  }
  HardwareConfig without_dram = mended;
  without_dram.dram.kind = DramKind::none;
  if (mended.dram.kind != chip.dram.kind) CHECK_FALSE(runs(graph, without_dram));
  return lacked;
}

TEST_CASE("the named capacity is enough, and one KiB less is not, for random networks on random chips") {
  int too_small = 0;
  for (std::uint32_t seed = 1; seed <= 500; seed += test::apart()) {
    test::Choice choice(seed);
    const Graph graph = test::random_network(choice).graph;
    HardwareConfig chip = test::random_chip(choice);
    chip.weight_buffer.capacity_kib = choice.of({1, 1, 2});
    chip.activation_buffer.capacity_kib = choice.of({1, 1, 2});
    chip.weight_buffer.banks = chip.activation_buffer.banks = 1;
    if (choice.chance(60)) chip.dram.kind = DramKind::none;
    chip.mac_array.columns = choice.of<std::int64_t>({8, 64, 512});
    INFO("seed " << seed);
    too_small += static_cast<int>(check_remedies(graph, chip));
  }
  CHECK(too_small > test::hits(100));
}

TEST_CASE("a capacity is named that the banks divide") {
  const Graph graph = test::layer_graph({20, 20, 96, 80, 3});
  HardwareConfig chip;
  chip.weight_buffer = {3, 3, 8, 8, true};
  chip.mac_array.columns = 256;
  CHECK(check_remedies(graph, chip) == 1);
  CHECK(remedies(try_compile(graph, chip, false).problems).at(kWeights) % 3 == 0);
}

TEST_CASE("both buffers may be too small") {
  // The least tiles are 256 channels of one input pixel, 4096 of an output pixel, and 256 x 4096 weights.
  const Graph graph = test::layer_graph({4, 4, 4096, 4096, 1});
  HardwareConfig chip;
  chip.weight_buffer.capacity_kib = chip.activation_buffer.capacity_kib = 1;
  chip.mac_array.rows = 256;
  chip.mac_array.columns = 4096;
  CHECK(check_remedies(graph, chip) == 2);
}

TEST_CASE("the least activation buffer holds one pixel of the least part of the reduction") {
  const Graph graph = test::layer_graph({8, 8, 64, 2048, 1});
  HardwareConfig chip;
  chip.activation_buffer.capacity_kib = 1;
  chip.mac_array.columns = 2048;
  const CompileOutcome outcome = try_compile(graph, chip, false);
  REQUIRE(outcome.problems.size() == 1);
  CHECK(outcome.problems[0].node == 0);
  // One pixel: 32 channels in, 2048 out, two slots each: 4160 bytes.
  CHECK(outcome.problems[0].problem.expected == "at least 5 KiB for its smallest tiles");
  CHECK(outcome.problems[0].problem.hint == "raise activation_buffer.capacity_kib to 5");
}

TEST_CASE("a chip without DRAM holds all weights and what lives at the same time of the activations") {
  const Graph graph = test::layer_graph({32, 32, 16, 64, 3});  // 16 KiB in, 9 KiB of weights, 64 KiB out
  HardwareConfig chip;
  chip.dram.kind = DramKind::none;
  chip.weight_buffer.capacity_kib = 8;
  chip.weight_buffer.banks = 8;
  chip.activation_buffer.capacity_kib = 64;
  CHECK(check_remedies(graph, chip) == 2);
  const auto found = remedies(try_compile(graph, chip, false).problems);
  CHECK(found.at(kActivations) == 80);
  // 9216 weights, 64 preloads of 4 bytes, a scale of 5, two alignments of 64: 9605 bytes.
  CHECK(found.at(kWeights) == 10);
}

TEST_CASE("a DRAM that is too small is named even where buffers are too") {
  const Graph graph = test::layer_graph({96, 96, 64, 64, 1});  // 0.56 MiB in, 0.56 MiB out
  HardwareConfig chip;
  chip.dram.capacity_mib = 1;
  chip.weight_buffer.capacity_kib = 1;
  CHECK(check_remedies(graph, chip) == 2);
}

TEST_CASE("every operation of the vector unit is named on a chip without one, beside what else is missing") {
  const auto needs_of = [](const Graph& graph) {
    const Schedule schedule = make_schedule(graph);
    return std::ranges::count_if(schedule.rows, [](const ScheduledOp& row) { return !row.on_mac_array; });
  };
  Graph graph;
  for (std::uint32_t seed = 9; graph.nodes.empty() || needs_of(graph) == 0; ++seed) {
    test::Choice choice(seed);
    graph = test::random_network(choice).graph;
  }
  HardwareConfig chip;
  chip.vector_unit.lanes = 0;
  chip.activation_buffer.capacity_kib = chip.weight_buffer.capacity_kib = 1;
  std::size_t named = 0;
  for (const CompileProblem& p : try_compile(graph, chip, false).problems)
    named += p.problem.hint.starts_with("set vector_unit.lanes to 1 or more") ? 1 : 0;
  CHECK(static_cast<std::ptrdiff_t>(named) == needs_of(graph));
}

TEST_CASE("what compiles runs, and compile() throws what does not, all problems together") {
  // Exceptions first: AddressSanitizer does not understand those that are thrown after SystemC's coroutines.
  std::vector<std::pair<Graph, HardwareConfig>> compiled;
  for (std::uint32_t seed = 1; seed <= 40; ++seed) {
    test::Choice choice(seed);
    Graph graph = test::random_network(choice).graph;
    HardwareConfig chip = test::random_chip(choice);
    // Half of the chips hold next to nothing, the others any of these networks.
    chip.weight_buffer.capacity_kib = chip.activation_buffer.capacity_kib = seed % 2 == 0 ? 1 : 1024;
    if (seed % 2 == 0) chip.mac_array.rows = chip.mac_array.columns = 256;  // a tile of weights is 64 KiB
    const CompileOutcome outcome = try_compile(graph, chip, false);
    INFO("seed " << seed);
    std::size_t problems = 0;
    try {
      (void)compile(graph, chip, false);
    } catch (const InputError& error) {
      problems = error.problems().size();
    }
    CHECK(problems == outcome.problems.size());
    if (problems == 0) compiled.emplace_back(std::move(graph), chip);
  }
  CHECK(compiled.size() > 0);
  CHECK(compiled.size() < 40);
  for (const auto& [graph, chip] : compiled) CHECK_NOTHROW(simulate(chip, graph, {}, {Values::none}));
}

}  // namespace
}  // namespace qsim
