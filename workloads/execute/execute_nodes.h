// Private to the executor: nodes on the MAC array.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "hw_models/arithmetic/depthwise.h"
#include "hw_models/arithmetic/gemm.h"
#include "hw_models/arithmetic/requantize_block.h"
#include "workloads/execute/execute.h"
#include "workloads/graph/conv_geometry.h"
#include "workloads/ops/run.h"

namespace qsim {

/// What a node on the MAC array keeps from run to run.
struct PreparedMac {
  ConvGeometry geometry;
  std::int64_t part_channels = 0;     ///< MacContext; the order of the weights.
  std::vector<std::int64_t> preload;  ///< One an output channel.
  /// One an output channel; empty when all are 0. With groups [channel][group], each times its multiplier.
  std::vector<std::int64_t> weight_zero_points;
  std::int64_t sums_a_row = 1;                            ///< Groups of a channel's reduction.
  std::vector<arithmetic::PackedWeights> groups;          ///< One a group; empty where `depthwise` is set.
  std::optional<arithmetic::DepthwiseWeights> depthwise;  ///< [tap][out_channel]
};
[[nodiscard]] PreparedMac prepare_mac(const Graph& graph, const Node& node, std::int64_t part_channels);

/// One run of a node on the MAC array.
struct MacRun {
  const Graph& graph;
  const Node& node;
  const PreparedMac& prepared;
  const MacContext& context;
  const TensorData& input;
  TensorData& output;
  int threads = 1;

  [[nodiscard]] const Quantization& input_quantization() const {
    return *graph.tensor(node.inputs[0]).quantization;
  }
};
arithmetic::AccumulatorStats run_mac(const MacRun& run);
arithmetic::AccumulatorStats run_depthwise(const MacRun& run);

/// Products of blocks (hw_models/arithmetic/mx_block.h): each chunk of the reduction lies in one block of a
/// tap,
///
///   acc[r][n] = preload[n] + sum_chunks align(sum_k w[n][k] x[r][k], e_w + e_x - reference)
///
/// and 32 outputs become a block. `trapped` gets the first place that overflows, where it is asked for, with
/// the output's pixel as its position.
arithmetic::AccumulatorStats run_blocks(const Graph& graph, const Node& node, const MacContext& context,
                                        const TensorData& input, TensorData& output, int threads,
                                        std::optional<arithmetic::OverflowPlace>* trapped = nullptr);

/// A product of two activations; acc[r][n] - z_b * sum_k a[r][k] - z_a * sum_k b[k][n] + K * z_a * z_b.
arithmetic::AccumulatorStats run_matmul(const Graph& graph, const Node& node, const MacContext& context,
                                        const Operands& inputs, TensorData& output, int threads);

/// Accumulators to output elements: scales, adds the zero point and clamps.
class OutputStage {
 public:
  OutputStage(const Graph& graph, const Node& node, const MacContext& context, TensorData& output);
  /// Output pixels [row_begin, row_begin + rows), channels [first_channel, first_channel + columns);
  /// accumulator (r, n) at accumulators[r * stride + n].
  template <typename Accumulator>
  void store(std::int64_t row_begin, std::int64_t rows, std::int64_t first_channel, std::int64_t columns,
             const Accumulator* accumulators, std::int64_t stride) const;

 private:
  arithmetic::OutputRange range_;
  std::int64_t out_channels_;
  arithmetic::ChannelScales scales_;
  TensorData& output_;
};

}  // namespace qsim
