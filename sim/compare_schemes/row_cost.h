// What one inference of a scheme costs on a chip, with the keys of `qsim compare --json`.
#pragma once

#include <nlohmann/json.hpp>

#include "sim/explain/accumulators.h"
#include "sim/report/summary.h"
#include "workloads/graph/graph.h"

namespace qsim {

/// A chip that schemes are compared on.
struct ComparedMachine {
  std::string name;    ///< As it was written, of a file its base name.
  ChipWith chip_with;  ///< The chip with further settings.
  EnergyOf energy_of;
  MapperFor mapper_for;
};

/// A run without values.
struct CostRun {
  HardwareConfig hardware;
  RunResult result;
  RunSummary summary;
};

/// Of `compiled`, the graph's program on `hardware`. The accounting has been checked.
[[nodiscard]] CostRun run_without_values(const ComparedMachine& machine, const HardwareConfig& hardware,
                                         const Graph& graph, CompiledProgram& compiled);
/// The same, compiled here, with further settings of the chip.
[[nodiscard]] CostRun run_without_values(const ComparedMachine& machine, const std::vector<std::string>& sets,
                                         const Graph& graph);

/// The narrowest accumulator that no input overflows, over all rows on the MAC array (worst_case_sums.h) but
/// those of blocks, whose sums are shifted as the data say; 0 without any.
[[nodiscard]] int widest_sums(const Graph& graph, const CompiledProgram& compiled);

/// `cycles`, `latency_s`, `energy_total_pj`, `energy_pj`, `traffic_bytes`, `dram_bytes`, `area_mm2`,
/// `accumulator_bits`, `host_share`, `model_bytes`, then `cycles_breakdown`, `layers` and `notes`.
[[nodiscard]] nlohmann::ordered_json cost_json(const CostRun& run, const Graph& graph, int accumulator_bits);

/// Of a table without areas null.
[[nodiscard]] nlohmann::ordered_json area_json(const CostRun& run);

}  // namespace qsim
