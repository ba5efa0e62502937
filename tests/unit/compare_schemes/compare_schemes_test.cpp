#include "sim/compare_schemes/compare_schemes.h"

#include <catch2/catch.hpp>

#include "base/error.h"
#include "quantization/requantize_graph.h"
#include "sim/config/load_hardware.h"
#include "sim/energy/event_rates.h"
#include "workloads/graph/generator.h"
#include "workloads/readers/load.h"

namespace qsim {
namespace {

const std::string kSource = QSIM_SOURCE_FOLDER;

ComparedMachine machine_of(const std::string& name) {
  ComparedMachine machine;
  machine.name = name;
  machine.chip_with = [name](const std::vector<std::string>& sets) {
    return load_hardware(name, sets, {kSource + "/configs"});
  };
  machine.energy_of = [](const HardwareConfig& chip) {
    return EnergyModel(chip, chip_energy_table(chip, {kSource + "/configs/energy"}, "test"));
  };
  machine.mapper_for = [energy_of = machine.energy_of](const HardwareConfig& chip) {
    return cost_mapper(Objective::latency, energy_of(chip));
  };
  return machine;
}

struct Bench {
  Graph graph = load_workload("resnet8", {kSource + "/workloads/models"});
  CompareSetup setup;

  Bench() {
    validate(graph);
    setup.machines = {machine_of("npu")};
    setup.schemes = read_scheme_list("w8a8,w4a8");
    setup.reference = &graph;
    setup.graph_with = [this](const Scheme& scheme) {
      Graph other = graph;
      requantize_graph(other, scheme, RangeMethod::min_max);
      validate(other);
      return other;
    };
    setup.inputs.count = 2;
    setup.inputs.inputs = [this](std::int64_t item) -> std::vector<TensorData> {
      const Tensor& input = graph.tensor(graph.inputs[0]);
      return {generate_input(input.name, static_cast<std::uint64_t>(item + 1), input.type,
                             input.quantization->format(), input.shape)};
    };
  }
};

}  // namespace

TEST_CASE("the number of processes shows in no row") {
  Bench bench;
  const SchemeComparison one = compare_schemes(bench.setup);
  bench.setup.jobs = 4;  // more parts than rows
  const SchemeComparison four = compare_schemes(bench.setup);
  REQUIRE(one.rows.size() == 2);
  REQUIRE(four.rows.size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(one.rows[i].error.empty());
    CHECK(one.rows[i].cost == four.rows[i].cost);
    CHECK(one.rows[i].sqnr_db == four.rows[i].sqnr_db);
    CHECK(one.rows[i].is_pareto == four.rows[i].is_pareto);
  }
  CHECK(one.rows[0].sqnr_db.value() > one.rows[1].sqnr_db.value());
}

TEST_CASE("what a scheme throws is its row's error, and leaves the others alone") {
  Bench bench;
  const GraphWith graph_with = bench.setup.graph_with;
  bench.setup.graph_with = [graph_with](const Scheme& scheme) {
    if (scheme.weights.bits == 4) throw InputError({"here", "", "4 bits", "eight", "take more"});
    return graph_with(scheme);
  };
  const SchemeComparison result = compare_schemes(bench.setup);
  CHECK(result.rows[0].runs());
  CHECK(result.rows[0].is_pareto);
  CHECK(result.rows[1].error == "here: got 4 bits, expected eight; take more");
  CHECK_FALSE(result.rows[1].is_pareto);
}

TEST_CASE("a fault of the simulator is no row") {
  Bench bench;
  bench.setup.graph_with = [](const Scheme&) -> Graph { throw std::logic_error("a bug"); };
  CHECK_THROWS_WITH(compare_schemes(bench.setup), Catch::Matchers::Contains("a bug"));
}

}  // namespace qsim
