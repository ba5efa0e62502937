// What is chosen by simulation is never worse than what estimates alone choose.
#include <catch2/catch.hpp>

#include "sim/compiler/compile.h"
#include "sim/compiler/mapper.h"
#include "sim/simulate.h"
#include "tests/unit/simulate/layer_graph.h"
#include "tests/unit/simulate/random_network.h"

namespace qsim {
namespace {

/// The cheapest by estimate, without anything else to try.
class EstimatesAlone final : public Mapper {
 public:
  [[nodiscard]] MappingOptions<GemmMapping> options(const GemmSpace& space,
                                                    const CostMeasure& measure) const override {
    return without_kinds(CostMapper().options(space, measure));
  }
  [[nodiscard]] MappingOptions<VectorMapping> options(const VectorSpace& space,
                                                      const CostMeasure& measure) const override {
    return without_kinds(CostMapper().options(space, measure));
  }

 private:
  template <typename MappingType>
  static MappingOptions<MappingType> without_kinds(MappingOptions<MappingType> found) {
    found.kinds.clear();
    return found;
  }
};

TEST_CASE("rivals that are simulated cost no cycles, and save some now and then") {
  const EstimatesAlone estimates;
  int better = 0;
  for (const test::RandomPair& made : test::random_pairs(100, 900)) {
    INFO("seed " << made.seed);
    SimulateOptions options{Values::none};
    const std::int64_t settled = simulate(made.chip, made.network.graph, {}, options).total_cycles;
    options.mapper = &estimates;
    const std::int64_t estimated = simulate(made.chip, made.network.graph, {}, options).total_cycles;
    // What is minimized has an eighth of the memory's cycles beside those of the run.
    CHECK(settled * 50 <= estimated * 51);
    better += settled < estimated ? 1 : 0;
  }
  CHECK(better > 0);
}

TEST_CASE("the compiler knows the cycles of a network that it has simulated") {
  const HardwareConfig chip;
  for (const test::LayerSize& size :
       {test::LayerSize{14, 14, 64, 64, 3}, test::LayerSize{28, 28, 32, 32, 3, 1, 32}}) {
    const RunResult run = simulate(chip, test::layer_graph(size), {}, {Values::none});
    for (const LayerResult& layer : run.layers) CHECK(layer.estimated_cycles == layer.cycles);
  }
}

TEST_CASE("a network of too many tiles for a moment is estimated within a twentieth") {
  // 14 x 14 x 256 to 512, 3 x 3, on 4 x 4 PEs: 14.5 million cycles of the array.
  HardwareConfig chip;
  chip.mac_array.rows = chip.mac_array.columns = 4;
  const RunResult run = simulate(chip, test::layer_graph({14, 14, 256, 512, 3}), {}, {Values::none});
  const LayerResult& layer = run.layers.back();
  CHECK(layer.estimated_cycles != layer.cycles);
  CHECK(layer.estimated_cycles * 100 >= layer.cycles * 95);
  CHECK(layer.estimated_cycles * 100 <= layer.cycles * 105);
}

}  // namespace
}  // namespace qsim
