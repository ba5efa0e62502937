// DequantizeLinear -> operator -> [Relu or Clip] -> QuantizeLinear: the float operator between integers that
// a chip, and ONNX Runtime, computes with integers.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "workloads/graph/graph.h"
#include "workloads/readers/onnx/graph_builder.h"

namespace qsim::onnx_format {

struct QdqGroup {
  std::vector<Operand>
      operands;  ///< In the operator's order: what DequantizeLinear reads, or constants as they are.
  std::vector<Result> results;  ///< What QuantizeLinear makes, one an output of the operator.
  Activation activation = Activation::none;
  /// Relu, Clip and QuantizeLinear nodes that the group takes in.
  std::vector<std::size_t> absorbed;
  std::vector<std::size_t> quantizers;  ///< Those that make the results, in their order.
  std::vector<std::string> members;     ///< Names of all nodes beside the operator, for its place.
};

/// The group around a node whose inputs are known; nothing where it is no group: an operand is a float at run
/// time, the float result has other users or is an output, a scale is per axis where one for the tensor is
/// needed, or that of a bias is not the one of the products.
[[nodiscard]] std::optional<QdqGroup> find_qdq_group(GraphBuilder& builder, const OnnxNode& node,
                                                     const GroupRule& rule);

/// Bounds of Clip, from attributes (before opset 11) or constant inputs; infinite where absent. Nothing where
/// one is computed at run time.
struct ClipBounds {
  float low, high;
};
[[nodiscard]] std::optional<ClipBounds> clip_bounds(GraphBuilder& builder, const OnnxNode& node);

/// Type that QuantizeLinear makes: its zero point's, or what it says, or uint8.
[[nodiscard]] OnnxType quantized_type(GraphBuilder& builder, const OnnxNode& node);

}  // namespace qsim::onnx_format
