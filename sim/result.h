// Everything that one run yields, before energy and formatting.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "hw_models/activity.h"
#include "hw_models/arithmetic/accumulator.h"
#include "hw_models/arithmetic/rounding.h"
#include "hw_models/core/bus_traffic.h"
#include "hw_models/hardware_config.h"
#include "hw_models/timeline.h"
#include "hw_models/unit_cycles.h"
#include "sim/compiler/layer_mapping.h"
#include "sim/compiler/memory_ranges.h"
#include "workloads/graph/graph.h"

namespace qsim {

/// Scales of groups in the weights of a row.
struct LayerGroups {
  std::int64_t size = 0;  ///< Input channels of a kernel tap.
  std::int32_t largest_multiplier = 1;
  /// Largest relative distance of a scale from its multiple (Quantization::group_scale_error). Where it is
  /// not 0 the row's outputs are not those of the scales that the model has.
  double scale_error = 0.0;
};

/// Products of blocks in a row.
struct LayerBlocks {
  std::int64_t size = 0;  ///< Channels that share an exponent.
  int reference = 0;      ///< Exponents of operands that add up to it are added as they are (mx_block.h).
  /// Sums that lost bits below; absent with --cost-only.
  std::optional<std::int64_t> rounded_sums;
};

/// One scheduled operation.
struct LayerResult {
  std::string name;                ///< Last graph node it executes.
  std::vector<std::string> nodes;  ///< All graph nodes it executes, in graph order.
  std::string op;
  std::int64_t macs = 0;           ///< On the MAC array.
  bool on_host = false;            ///< The chip left it to the host.
  bool converts_for_host = false;  ///< Quantize or dequantize whose floats the host makes or reads.
  std::int64_t host_macs = 0;
  /// From the previous row's completion to its own; of a row that is executed in parts, of all parts.
  std::int64_t cycles = 0;
  std::int64_t estimated_cycles = 0;     ///< What the mapper took `cycles` for; 0 of the host.
  std::int64_t span_cycles = 0;          ///< First to last activity; of parts their sum.
  std::int64_t peak_macs_per_cycle = 0;  ///< At the layer's precision.
  CycleBreakdown cycles_breakdown{};
  Activity activity;
  UnitCycles unit_cycles;
  int weight_bits = 0;  ///< 0 where the row has no weights.
  int activation_bits = 0;
  int accumulator_bits = 0;  ///< Width of the accumulators; 0 where the row does not use them.
  bool weights_signed = true;
  bool activations_signed = true;
  std::optional<arithmetic::RoundingProfile> rounding_profile;  ///< Rows that requantize.
  Bound bound = Bound::compute;
  LayerMapping mapping;                     ///< Printed as `mapping`.
  std::optional<Dataflow> chosen_dataflow;  ///< Of an array that offers several.
  bool is_array_built_for_it = false;       ///< PrecisionModel::is_built_for_layer.
  std::optional<arithmetic::AccumulatorStats> accumulator;
  /// Whatever the input (worst_case_sums.h); absent with --cost-only.
  std::optional<arithmetic::AccumulatorRange> accumulator_worst_case;
  int accumulator_bits_any_weights = 0;  ///< Whatever the weights are, too: of the operands' formats.
  std::optional<arithmetic::OverflowPlace> trap;  ///< Where accumulators that trap overflowed first.
  std::optional<LayerGroups> groups;              ///< Rows whose weights have a scale a group.
  std::optional<LayerBlocks> blocks;              ///< Rows in block formats.
};

/// A tensor as the world outside sees it: name and layout are the model's (workloads/graph/layout.h).
struct NamedTensor {
  std::string name;
  TensorData data;
  std::optional<Quantization> quantization;
};

/// Reported beside the first inference when there are several.
struct SteadyState {
  std::int64_t inferences = 0;
  std::int64_t cycles = 0;  ///< From one completion to the next, last pair.
  Activity activity;
};

/// Who did what when, of all inferences and of the parts of a batch that each consists of: rows of part p of
/// inference i start at (i * parts + p) * layers.
struct RunTimeline {
  /// The layer that a row belongs to: an index of RunResult::layers.
  [[nodiscard]] std::size_t layer_of(std::size_t row) const { return layers[row % layers.size()]; }

  std::int64_t parts = 1;
  std::vector<Interval> intervals;
  std::vector<FillChange> fills;
  std::vector<RowTimes> rows;
  std::vector<Completion> completions;  ///< In order.
  BusWindows bus;
  std::vector<std::size_t> layers;  ///< By row of a part; chains may complete rows in another order.
};

struct RunResult {
  HardwareConfig hardware;
  std::string workload_name;
  std::string workload_source;
  std::int64_t total_cycles = 0;
  std::int64_t macs = 0;
  std::int64_t peak_macs_per_cycle = 0;
  std::vector<LayerResult> layers;  ///< In order of completion; sums are the totals.
  CycleBreakdown cycles{};
  Activity activity;                   ///< Sum over the layers.
  std::vector<NamedTensor> outputs;    ///< Graph outputs.
  std::vector<NamedTensor> dump;       ///< Every activation tensor, when asked for.
  bool values_computed = true;         ///< False with --cost-only.
  std::int64_t trapped_overflows = 0;  ///< With accumulators that trap.
  std::optional<SteadyState> steady_state;
  RunTimeline timeline;
  MemoryMap memory_map;  ///< Where everything lies in the buffers; of a batch in parts that of a part.
  std::vector<std::string> folded_nodes;
  std::vector<std::string> notes;  ///< Provenance lines (seeded inputs, requantized weights, ...).
};

}  // namespace qsim
