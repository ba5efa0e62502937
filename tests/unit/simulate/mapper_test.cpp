// Who chooses a mapping shows in cycles and traffic, never in values.
#include <catch2/catch.hpp>

#include <algorithm>
#include <string>

#include "sim/compiler/compile.h"
#include "sim/compiler/mapper.h"
#include "sim/simulate.h"
#include "tests/unit/sim/hardware_files.h"
#include "tests/unit/simulate/draws.h"
#include "tests/unit/simulate/layer_graph.h"
#include "tests/unit/simulate/random_network.h"
#include "tests/unit/simulate/same_run.h"

namespace qsim {
namespace {

constexpr std::size_t kPrograms = 200;

/// Takes the first mapping that fits, whatever it costs.
class FirstFit final : public Mapper {
 public:
  [[nodiscard]] MappingOptions<GemmMapping> options(const GemmSpace& space,
                                                    const CostMeasure& /*measure*/) const override {
    return reversed(space.candidates());
  }
  [[nodiscard]] MappingOptions<VectorMapping> options(const VectorSpace& space,
                                                      const CostMeasure& /*measure*/) const override {
    return reversed(space.candidates());
  }

 private:
  /// The planner takes the last that fits.
  template <typename MappingType>
  static MappingOptions<MappingType> reversed(MappingOptions<MappingType> found) {
    std::ranges::reverse(found.options);
    return found;
  }
};

/// The cheapest mappings, and how often they were asked for.
class CountingMapper final : public Mapper {
 public:
  [[nodiscard]] MappingOptions<GemmMapping> options(const GemmSpace& space,
                                                    const CostMeasure& measure) const override {
    ++asked;
    return cheapest_.options(space, measure);
  }
  [[nodiscard]] MappingOptions<VectorMapping> options(const VectorSpace& space,
                                                      const CostMeasure& measure) const override {
    ++asked;
    return cheapest_.options(space, measure);
  }

  mutable int asked = 0;

 private:
  CostMapper cheapest_;
};

/// `count` products of 64 channels, one behind the other.
Graph equal_products(std::int64_t count) {
  test::LayerSize size;
  size.height = size.width = 8;
  size.channels = size.outputs = 64;
  Graph graph = test::layer_graph(size);
  const Node first = graph.nodes[0];
  for (std::int64_t i = 1; i < count; ++i) {
    Node node = first;
    node.name = "y" + std::to_string(i);
    Tensor output = graph.tensor(first.outputs[0]);
    output.name = node.name;
    graph.tensors.push_back(std::move(output));
    node.inputs[0] = graph.nodes.back().outputs[0];
    node.outputs = {static_cast<TensorId>(graph.tensors.size() - 1)};
    graph.nodes.push_back(std::move(node));
    graph.outputs = graph.nodes.back().outputs;
  }
  return graph;
}

int questions(const Graph& graph, const HardwareConfig& chip) {
  const CountingMapper counting;
  static_cast<void>(compile(graph, chip, counting, false));
  return counting.asked;
}

RunResult run(const test::RandomPair& made, Values values, const Mapper* mapper) {
  SimulateOptions options;
  options.values = values;
  options.dump_tensors = true;
  options.mapper = mapper;
  return simulate(made.chip, made.network.graph, made.network.inputs, options);
}

bool overflows(const RunResult& result) {
  return std::ranges::any_of(result.layers, [](const LayerResult& layer) {
    return layer.accumulator && layer.accumulator->overflows > 0;
  });
}

TEST_CASE("a mapper that takes the first mapping that fits gives the same values, by layers and by tiles") {
  const FirstFit first_fit;
  int mapped_otherwise = 0;
  for (const test::RandomPair& made : test::random_pairs(test::draws(kPrograms), 1)) {
    INFO("seed " << made.seed);
    const RunResult cheapest = run(made, Values::layer, nullptr);
    const RunResult layer = run(made, Values::layer, &first_fit);
    const RunResult tile = run(made, Values::tile, &first_fit);
    test::check_same_values(tile, layer);
    CHECK(tile.total_cycles == layer.total_cycles);
    // The order of accumulation is the mapping's: it shows where an accumulator overflows.
    if (!overflows(cheapest) && !overflows(layer)) test::check_same_values(cheapest, layer);
    for (std::size_t i = 0; i < layer.layers.size(); ++i)
      mapped_otherwise += layer.layers[i].mapping == cheapest.layers[i].mapping ? 0 : 1;
  }
  CHECK(mapped_otherwise > test::hits(50));
}

// The first, a middle and the last one differ in what may stay beside them; from three on no problem is new.
TEST_CASE("equal layers of a network are mapped once") {
  HardwareConfig chip = load_hardware("npu", {}, shipped_configs());
  chip.weight_buffer.capacity_kib = 16;  // several choices of weights that stay
  const int three = questions(equal_products(3), chip);
  CHECK(questions(equal_products(1), chip) < three);
  CHECK(questions(equal_products(4), chip) == three);
  CHECK(questions(equal_products(40), chip) <= three);  // weights of more times the buffer never stay
}

}  // namespace
}  // namespace qsim
