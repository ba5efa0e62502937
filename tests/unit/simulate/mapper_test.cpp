// Who chooses a mapping shows in cycles and traffic, never in values.
#include <catch2/catch.hpp>

#include <algorithm>

#include "sim/compiler/mapper.h"
#include "sim/simulate.h"
#include "tests/unit/simulate/random_network.h"

namespace qsim {
namespace {

constexpr std::size_t kPrograms = 200;

/// Takes the first mapping that fits, whatever it costs.
class FirstFit final : public Mapper {
 public:
  [[nodiscard]] MappingOptions<GemmMapping> options(const GemmSpace& space) const override {
    return reversed(space.candidates());
  }
  [[nodiscard]] MappingOptions<VectorMapping> options(const VectorSpace& space) const override {
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

void check_same_values(const RunResult& a, const RunResult& b) {
  REQUIRE(a.dump.size() == b.dump.size());
  for (std::size_t i = 0; i < a.dump.size(); ++i) {
    INFO(a.dump[i].name);
    CHECK(a.dump[i].data.bytes == b.dump[i].data.bytes);
  }
}

TEST_CASE("a mapper that takes the first mapping that fits gives the same values, by layers and by tiles") {
  const FirstFit first_fit;
  int mapped_otherwise = 0;
  for (const test::RandomPair& made : test::random_pairs(kPrograms, 1)) {
    INFO("seed " << made.seed);
    const RunResult cheapest = run(made, Values::layer, nullptr);
    const RunResult layer = run(made, Values::layer, &first_fit);
    const RunResult tile = run(made, Values::tile, &first_fit);
    check_same_values(tile, layer);
    CHECK(tile.total_cycles == layer.total_cycles);
    // The order of accumulation is the mapping's: it shows where an accumulator overflows.
    if (!overflows(cheapest) && !overflows(layer)) check_same_values(cheapest, layer);
    for (std::size_t i = 0; i < layer.layers.size(); ++i)
      mapped_otherwise += layer.layers[i].mapping == cheapest.layers[i].mapping ? 0 : 1;
  }
  CHECK(mapped_otherwise > 50);
}

}  // namespace
}  // namespace qsim
