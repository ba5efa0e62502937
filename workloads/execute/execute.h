// Layer-level values: every node of a quantized graph, computed at once with the fast kernels.
//
// What a chip contributes is in MacContext: the accumulator's width and overflow, the order in which chunks
// of the reduction reach it, and the rounding profile. Nothing else of a chip shows in the values.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "hw_models/arithmetic/accumulator.h"
#include "hw_models/arithmetic/requantize.h"
#include "hw_models/arithmetic/rounding.h"
#include "workloads/graph/graph.h"
#include "workloads/ops/operand_types.h"

namespace qsim {

/// How the chip accumulates one node that runs on the MAC array.
struct MacContext {
  arithmetic::AccumulatorFormat accumulator{};
  /// Chunk ends of the reduction in the order in which it runs; empty: one chunk.
  std::vector<std::int64_t> chunk_ends;
  /// The reduction runs over kernel rows, kernel columns, channels; 0: once, with all channels of a group,
  /// otherwise for so many channels after the other.
  std::int64_t part_channels = 0;
  arithmetic::RoundingProfile rounding_profile = arithmetic::RoundingProfile::fixed_point_double_rounding;
  arithmetic::ShiftRounding shift_rounding = arithmetic::ShiftRounding::half_away;
  int multiplier_bits = 32;

  [[nodiscard]] arithmetic::Rounding rounding() const {
    return {rounding_profile, shift_rounding, multiplier_bits};
  }
};

/// The profile that `auto` means for a node (docs/workload_format.md).
[[nodiscard]] arithmetic::RoundingProfile automatic_rounding_profile(const Graph& graph, const Node& node);

/// Type, shape and value range of a graph input; throws InputError naming `file` otherwise.
void check_input(const Graph& graph, TensorId id, const TensorData& value, const std::string& file);

/// Runs a graph node by node.
class Executor {
 public:
  /// The graph must outlive the executor and be valid.
  explicit Executor(const Graph& graph, int threads = 1);
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  /// Value of a graph input; type and shape are the tensor's (checked by the caller with check_input).
  void set_input(TensorId id, TensorData value);
  /// Computes one node; its inputs have values. InputError where the chip cannot (chip_support.h). Returns
  /// what the accumulators saw (nodes on the MAC array).
  std::optional<arithmetic::AccumulatorStats> run_node(const Node& node, const MacContext& context);
  /// Value of a tensor that has one (constants included); throws std::logic_error otherwise.
  [[nodiscard]] const TensorData& value(TensorId id) const;
  [[nodiscard]] bool has_value(TensorId id) const;
  /// Frees a value that nobody needs any more.
  void release(TensorId id);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Value of a float node from its operands, in the order of its inputs (nullptr where one is absent).
[[nodiscard]] TensorData run_host_node(const Graph& graph, const Node& node,
                                       const std::vector<const TensorData*>& operands, int threads = 1);

// ---- parameters that the compiler needs too: both levels compute from the same ones ----------------------

/// Preload of each output channel: bias + folded zero-point terms,
/// b[n] - z_x * sum_k w[n][k] + K * z_x * z_w[n]  (white paper, section 2.4: terms 3 and 4); with groups
/// b[n] - z_x * sum_g m[n][g] * sum_{k in g} (w[n][k] - z_w[n][g]). Of a product of activations
/// K * z_x * z_w alone: the sum depends on the data.
[[nodiscard]] std::vector<std::int64_t> folded_bias(const Graph& graph, const Node& node);
/// Of a product of activations: which matrix of operand `shape` each matrix of the output takes, where
/// leading dimensions are repeated as numpy does.
[[nodiscard]] std::vector<std::int64_t> repeated_matrices(const Shape& shape, const Shape& output);
/// Scale of each output channel of a node on the MAC array, as the runtime of the graph's semantics derives
/// it.
/// What follows the scaling of a node on the MAC array.
[[nodiscard]] arithmetic::OutputRange output_range(const Graph& graph, const Node& node);
[[nodiscard]] std::vector<arithmetic::ChannelScale> channel_scales(const Graph& graph, const Node& node,
                                                                   const arithmetic::Rounding& rounding);

}  // namespace qsim
