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

/// Bytes that move to and from DRAM, but partial sums.
inline std::int64_t payload(const RunResult& run) {
  std::int64_t bytes = 0;
  for (const Event event : {Event::dram_read_weight_bytes, Event::dram_read_parameter_bytes,
                            Event::dram_read_activation_bytes, Event::dram_write_activation_bytes})
    bytes += run.activity[event];
  return bytes;
}

/// In whole bursts, partial sums too.
inline std::int64_t bus_bytes(const RunResult& run) {
  return (run.activity[Event::dram_read_bursts] + run.activity[Event::dram_write_bursts]) *
         run.hardware.dram.burst_bytes;
}

/// A file with the mapping of each row, as a report has them.
inline nlohmann::ordered_json mappings_of(const RunResult& run) {
  auto layers = nlohmann::ordered_json::array();
  for (const LayerResult& layer : run.layers)
    layers.push_back({{"name", layer.name}, {"mapping", mapping_json(layer.mapping)}});
  return {{"schema_version", 2}, {"layers", std::move(layers)}};
}

}  // namespace qsim::test
