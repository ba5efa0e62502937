// A compiled network with inputs, for tests that run it on the chip themselves.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "hw_models/run_chip.h"
#include "sim/chip_values.h"
#include "sim/compiler/compile.h"
#include "tests/unit/simulate/random_network.h"

namespace qsim::test {

/// Values pass through the modelled memories.
struct CompiledNetwork {
  CompiledNetwork(RandomNetwork random, const HardwareConfig& chip)
      : network(std::move(random)), compiled(compile(network.graph, chip, true)) {
    for (std::size_t i = 0; i < network.inputs.size(); ++i) {
      add_input_image(compiled, network.graph.inputs[i], network.inputs[i]);
    }
  }
  CompiledNetwork(const CompiledNetwork&) = delete;
  CompiledNetwork& operator=(const CompiledNetwork&) = delete;

  [[nodiscard]] std::int32_t rows() const { return compiled.program.rows; }

  RandomNetwork network;
  CompiledProgram compiled;
};

/// Bytes of every tensor that a node makes.
[[nodiscard]] inline std::vector<std::vector<std::byte>> all_bytes(const ChipValues& values,
                                                                   const CompiledNetwork& network) {
  std::vector<std::vector<std::byte>> bytes;
  for (const NamedTensor& tensor : values.dump(network.network.inputs)) bytes.push_back(tensor.data.bytes);
  return bytes;
}

struct ValuesAndRun {
  std::vector<std::vector<std::byte>> bytes;
  ChipRun run;
};

/// Alone on the chip.
[[nodiscard]] inline ValuesAndRun run_alone(const HardwareConfig& chip, const CompiledNetwork& network,
                                            ChipOptions options = {}) {
  ChipValues values(network.network.graph, network.compiled);
  options.moves_values = true;
  options.on_row_complete = [&](std::int32_t row, RowWindow window, const ChipMemory& memory) {
    values.collect(row, window, memory);
  };
  ChipRun run = run_chip(chip, network.compiled.program, options);
  return {all_bytes(values, network), std::move(run)};
}

}  // namespace qsim::test
