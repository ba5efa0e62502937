// Private to the executor: nodes whose activations are float32, computed on the host's side of the network.
//
// Every output element is one chain of separately rounded float32 operations in a fixed order, so that
// neither threads nor instruction sets show in it; functions like exp are computed in double and rounded
// once.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "workloads/execute/execute_nodes.h"
#include "workloads/execute/float/float_gemm.h"
#include "workloads/graph/conv_geometry.h"

namespace qsim {

/// Integer weights of one scale under float activations.
struct DynamicWeights {
  arithmetic::PackedWeights weights;
  float scale = 1.0F;
};
[[nodiscard]] DynamicWeights prepare_dynamic_weights(const TensorData& weights,
                                                     const Quantization& quantization,
                                                     const ConvGeometry& geometry);

/// What a float node with weights keeps from run to run.
struct PreparedFloatMac {
  ConvGeometry geometry;
  std::vector<FloatPanels> groups;               ///< One a group; empty where `depthwise` is not.
  std::vector<float> depthwise;                  ///< [tap][out_channel]
  std::optional<DynamicWeights> dynamic;         ///< Instead of both.
  std::vector<std::vector<float>> group_biases;  ///< As long as the group's padded columns; otherwise one.
};
/// One run of a float node.
struct FloatRun {
  const Graph& graph;
  const Node& node;
  const Operands& inputs;
  TensorData& output;
  int threads = 1;

  [[nodiscard]] std::span<const float> input(std::size_t i = 0) const { return inputs[i]->as<float>(); }
  [[nodiscard]] std::span<float> result() const { return output.as<float>(); }
};

/// Any float node; `prepared` where it has weights.
void run_float_node(const FloatRun& run, const PreparedFloatMac* prepared);

/// Convolutions and fully connected layers.
[[nodiscard]] bool has_float_weights(const Node& node);
/// From the run's operands; its output is not touched.
[[nodiscard]] PreparedFloatMac prepare_float_mac(const FloatRun& run);

void run_float_mac(const FloatRun& run, const PreparedFloatMac& prepared, Activation activation);
void run_float_dynamic(const FloatRun& run, const PreparedFloatMac& prepared, Activation activation);
void run_float_binary(const FloatRun& run, const BinaryOp& op);
void run_float_unary(const FloatRun& run, const UnaryOp& op);
void run_float_pool(const FloatRun& run, const Pool2dOp& op);
void run_float_mean(const FloatRun& run, const MeanOp& op);
void run_float_softmax(const FloatRun& run, const SoftmaxOp& op);
void run_float_layer_norm(const FloatRun& run, const LayerNormOp& op);
void run_float_prelu(const FloatRun& run);
void run_float_batch_norm(const FloatRun& run);
void run_float_matmul(const FloatRun& run, const MatMulOp& op);
void run_float_resize(const FloatRun& run, const ResizeOp& op);
void run_dynamic_quantize(const FloatRun& run, const DynamicQuantizeOp& op);

/// Limits of a fused activation.
struct FloatClamp {
  float low, high;

  explicit FloatClamp(Activation activation);
  /// A NaN stays one.
  [[nodiscard]] float operator()(float x) const { return x < low ? low : x > high ? high : x; }
};

}  // namespace qsim
