// How wide a network's accumulators have to be, and what narrower ones save: sums observed, sums that any
// input can make, and the cost of the same network with other widths, found by running it again.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/energy/energy_model.h"
#include "sim/explain/explain.h"

namespace qsim {

/// A row that uses the accumulators.
struct AccumulatorRow {
  std::string name, op;
  int weight_bits = 0, activation_bits = 0;
  arithmetic::AccumulatorStats seen;  ///< In this run.
  /// Of any input (worst_case_sums.h). Blocks have none: their exponents have no bound, and their sums are
  /// aligned so that those which the calibration foresees fill the accumulators, however wide they are.
  std::optional<arithmetic::AccumulatorRange> worst_case;
  int bits_any_weights = 0;                    ///< Of any input and any weights.
  std::optional<std::int64_t> rounded_sums{};  ///< Of blocks: sums that lost bits below.

  [[nodiscard]] int bits_used() const { return arithmetic::signed_bits(seen.min, seen.max); }
};

/// The chip with accumulators of some width.
struct AccumulatorWidth {
  int bits = 0;
  std::string why;  ///< "as configured"
  std::int64_t cycles = 0;
  double energy_total_pj = 0.0;
  double accumulators_pj = 0.0;  ///< Of them the accumulators'.
  /// Of a network in blocks: sums of blocks, and those of them that lost bits below.
  std::int64_t block_sums = 0, rounded_sums = 0;
};

struct AccumulatorAnalysis {
  std::string hardware, workload;
  int width_bits = 0;
  std::vector<AccumulatorRow> rows;
  int bits_used = 0;        ///< Widest of the rows: what held this run's sums.
  int bits_worst_case = 0;  ///< Widest of the rows: the narrowest accumulator that no input overflows.
  /// As configured, then each of these two that differs and that the chip can have. With layers in blocks,
  /// half as many bits and three quarters: narrower accumulators round more of their sums.
  std::vector<AccumulatorWidth> widths;
};

/// The energies of a chip.
using EnergyOf = std::function<EnergyModel(const HardwareConfig&)>;

/// `inputs` as simulate() takes them. Throws InputError where the graph does not run on the chip.
[[nodiscard]] AccumulatorAnalysis analyze_accumulators(const ChipWith& chip_with, const EnergyOf& energy_of,
                                                       const MapperFor& mapper_for, const Graph& graph,
                                                       const std::vector<TensorData>& inputs, int threads);

}  // namespace qsim
