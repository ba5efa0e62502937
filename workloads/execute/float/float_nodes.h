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
/// Any float node; `prepared` where it has weights. Nodes beside the MAC array have their own function
/// (workloads/ops).
void run_float_node(const NodeRun& run, const PreparedFloatMac* prepared);

/// From the run's operands; its output is not touched.
[[nodiscard]] PreparedFloatMac prepare_float_mac(const NodeRun& run);

void run_float_mac(const NodeRun& run, const PreparedFloatMac& prepared, Activation activation);
void run_float_dynamic(const NodeRun& run, const PreparedFloatMac& prepared, Activation activation);
void run_float_matmul(const NodeRun& run);

}  // namespace qsim
