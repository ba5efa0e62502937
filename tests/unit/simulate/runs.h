// Runs as many tests want them, and what a report says of their mappings.
#pragma once

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <utility>

#include "sim/compiler/layer_mapping.h"
#include "sim/simulate.h"
#include "tests/unit/simulate/random_network.h"

namespace qsim::test {

/// Without values.
inline RunResult cost(const HardwareConfig& chip, const Graph& graph, const Mapper* mapper = nullptr) {
  SimulateOptions options;
  options.values = Values::none;
  options.mapper = mapper;
  return simulate(chip, graph, {}, options);
}

/// With every tensor.
inline RunResult run_with(const RandomPair& made, Values values, Fidelity fidelity = Fidelity::tile,
                          const Mapper* mapper = nullptr) {
  SimulateOptions options;
  options.values = values;
  options.dump_tensors = true;
  options.fidelity = fidelity;
  options.mapper = mapper;
  return simulate(made.chip, made.network.graph, made.network.inputs, options);
}

/// By tiles and PE by PE, which agree.
inline std::int64_t cycles(const HardwareConfig& chip, const Graph& graph) {
  const RunResult tile = cost(chip, graph);
  SimulateOptions options;
  options.values = Values::none;
  options.fidelity = Fidelity::pe;
  CHECK(simulate(chip, graph, {}, options).total_cycles == tile.total_cycles);
  return tile.total_cycles;
}

/// A file with the mapping of each row, as a report has them.
inline nlohmann::ordered_json mappings_of(const RunResult& run) {
  auto layers = nlohmann::ordered_json::array();
  for (const LayerResult& layer : run.layers)
    layers.push_back({{"name", layer.name}, {"mapping", mapping_json(layer.mapping)}});
  return {{"schema_version", 2}, {"layers", std::move(layers)}};
}

}  // namespace qsim::test
