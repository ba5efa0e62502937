// Private to the executor: one function a kind of node. Inputs and outputs are in node order; an absent
// optional input is nullptr. The graph is valid.
#pragma once

#include <optional>
#include <span>
#include <stdexcept>
#include <vector>

#include "hw_models/arithmetic/depthwise.h"
#include "hw_models/arithmetic/gemm.h"
#include "hw_models/arithmetic/requantize_block.h"
#include "workloads/execute/execute.h"
#include "workloads/graph/conv_geometry.h"

namespace qsim {

/// Calls `f` with a zero of the C++ type of `type` (integers of at most 16 bits, float).
template <typename F>
decltype(auto) visit_element_type(ElementType type, F&& f) {
  switch (type) {
    case ElementType::i8:
      return f(std::int8_t{});
    case ElementType::u8:
      return f(std::uint8_t{});
    case ElementType::i16:
      return f(std::int16_t{});
    case ElementType::u16:
      return f(std::uint16_t{});
    default:
      throw std::logic_error("element type without kernels");
  }
}

using Operands = std::vector<const TensorData*>;

/// What a node on the MAC array keeps from run to run.
struct PreparedMac {
  ConvGeometry geometry;
  std::vector<std::int64_t> preload;                      ///< One an output channel.
  std::vector<std::int64_t> weight_zero_points;           ///< One an output channel; empty when all are 0.
  std::vector<arithmetic::PackedWeights> groups;          ///< One a group; empty where `depthwise` is set.
  std::optional<arithmetic::DepthwiseWeights> depthwise;  ///< [tap][out_channel]
};
[[nodiscard]] PreparedMac prepare_mac(const Graph& graph, const Node& node);

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

void run_unary(const Graph& graph, const Node& node, const TensorData& input, TensorData& output);
void run_binary(const Graph& graph, const Node& node, const Operands& inputs, TensorData& output);
void run_pool(const Graph& graph, const Node& node, const TensorData& input, TensorData& output);
void run_mean(const Graph& graph, const Node& node, const TensorData& input, TensorData& output);
/// Softmax and layer normalization.
void run_rows(const Graph& graph, const Node& node, const Operands& inputs, TensorData& output);
void run_resize(const Graph& graph, const Node& node, const TensorData& input, TensorData& output);
void run_pad(const Node& node, const TensorData& input, TensorData& output);
void run_strided_slice(const Node& node, const TensorData& input, TensorData& output);
void run_transpose(const Node& node, const TensorData& input, TensorData& output);
void run_concat(const Graph& graph, const Node& node, const Operands& inputs, TensorData& output);

}  // namespace qsim
