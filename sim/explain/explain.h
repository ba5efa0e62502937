// Why a run takes as long as it does, and what more of each setting would gain: found by running it again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/explain/steps.h"
#include "sim/report/limits.h"
#include "sim/simulate.h"

namespace qsim {

/// The chip with further settings, the same that a run with these as --set has. Throws InputError where there
/// is no such chip.
using ChipWith = std::function<HardwareConfig(const std::vector<std::string>& sets)>;

/// Chooses the mappings on a chip (SimulateOptions::mapper).
using MapperFor = std::function<std::unique_ptr<const Mapper>(const HardwareConfig&)>;

/// A step, and the run with it.
struct StepRun {
  Step step;
  std::int64_t cycles = 0;                    ///< Of the first inference.
  std::optional<std::int64_t> steady_cycles;  ///< Of the last one, where there are several.
  std::vector<std::int64_t> layer_cycles;     ///< In the run's order; empty where the rows are not its.
  std::string error;                          ///< Why there is no such run; then the above say nothing.
};

struct SlowLayer {
  std::size_t index = 0;         ///< In the run's layers.
  std::int64_t lost_cycles = 0;  ///< Beyond its MACs at the array's peak.
};

/// A setting that has no effect as it stands, or less of which is enough.
struct EffectRemark {
  std::string path;
  std::int64_t value = 0;
  std::int64_t enough = 0;  ///< As many, or as little, as make a difference.
  std::int64_t cycles = 0;  ///< Of the run with that.
  std::string text;
};

struct ExplainOptions {
  std::size_t layers = 10;      ///< Slow layers at most.
  MapperFor mapper_for;         ///< Of each chip; empty: CostMapper.
  std::int64_t inferences = 1;  ///< In sequence.
  std::string command;          ///< The run as one writes it, "qsim --workload ..": --set may follow.
};

struct ExplainResult {
  RunResult run;        ///< Without values.
  std::string command;  ///< ExplainOptions
  std::vector<Limits> limits;
  std::int64_t lost_cycles = 0;  ///< Of all layers.
  std::vector<SlowLayer> slow;   ///< Most lost cycles first.
  std::vector<StepRun> steps;    ///< Those that gain most first.
  std::vector<EffectRemark> remarks;
};

/// Slow are the layers with the most cycles beyond their MACs at the array's peak (all cycles of a layer
/// without MACs), until they have four fifths of all such cycles. Throws InputError where the graph does not
/// run on the chip; a step with which it does not has an error.
[[nodiscard]] ExplainResult explain_run(const ChipWith& chip_with, const Graph& graph,
                                        const ExplainOptions& options = {});

/// The command line of the run with these settings.
[[nodiscard]] std::string command_with(const ExplainResult& result, const std::vector<std::string>& sets);

/// Cycles that a step saves in a layer, or in the run; negative where it costs some.
[[nodiscard]] std::int64_t gain_of(const ExplainResult& result, const StepRun& step, std::size_t layer);
[[nodiscard]] std::int64_t gain_of(const ExplainResult& result, const StepRun& step);

}  // namespace qsim
