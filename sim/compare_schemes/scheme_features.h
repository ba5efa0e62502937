// What each feature of a scheme costs: a run with it, a run without it, and the difference.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sim/compare_schemes/row_cost.h"
#include "workloads/graph/scheme.h"

namespace qsim {

/// Makes the reference network a quantized one. Throws InputError for what it cannot.
using GraphWith = std::function<Graph(const Scheme&)>;

/// One feature, and what is like the scheme or the chip but for it.
struct SchemeFeature {
  std::string name;     ///< "zero_points_of_weights"
  std::string meaning;  ///< What does the work, and on which events it shows.
  Scheme without;
  std::vector<std::string> sets;  ///< Settings of the chip without it, "PATH=VALUE".
};

/// Those that the scheme has on this chip:
///
///   zero_points_of_weights      asymmetric weights, against symmetric ones
///   zero_points_of_activations  asymmetric activations (where the scheme leaves it open, too), against
///   symmetric scales_of_channels          a scale an output channel, against one a tensor scales_of_groups
///   a scale a group, against one an output channel multiplier                  float scales, against powers
///   of two: a shift in place of the multiplication wide_accumulators           the chip's width, against
///   `accumulator_bits`, the narrowest that no input
///                               overflows, at least a product of the array's operands
[[nodiscard]] std::vector<SchemeFeature> features_of(const Scheme& scheme, const HardwareConfig& hardware,
                                                     int accumulator_bits);

/// Of each feature {`feature`, `meaning`, `without` (a scheme's text), `set`, `cycles`, `energy_total_pj`,
/// `energy_pj` {component: pJ}, `dram_bytes`, `model_bytes`, `area_mm2`, `events` {event: count}, `error`}:
/// all figures are with it minus without it; of components and events those that differ. Where there is no
/// run without it, `error` says why and the figures are null.
[[nodiscard]] nlohmann::ordered_json features_json(const ComparedMachine& machine, const Scheme& scheme,
                                                   const GraphWith& graph_with, const Graph& graph,
                                                   const CostRun& with, int accumulator_bits);

}  // namespace qsim
