// Private to validate(): the checks of a graph, split over two files.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "workloads/graph/graph.h"

namespace qsim {

/// Most elements of one tensor: everything derived from sizes then fits 64 bits.
inline constexpr std::int64_t kMaxTensorElements = std::int64_t{1} << 30;
/// Scales of weights and activations: normal float32 numbers with room for sums and products above.
inline constexpr float kMinScale = 1.17549435e-38F;  // 2^-126
inline constexpr float kMaxScale = 1.26765060e30F;   // 2^100
/// Largest stride, dilation and padding.
inline constexpr std::int64_t kMaxWindowAttribute = std::int64_t{1} << 20;

/// What to do about a model that contradicts itself.
inline constexpr const char* kModelRemedy = "correct the model there, or convert it again";

/// Element count of a shape, or -1 where a dimension is below 1 or the product above kMaxTensorElements.
[[nodiscard]] std::int64_t checked_element_count(const Shape& shape);

/// A problem of a graph and the nodes (indices) that it keeps from running.
struct GraphProblem {
  Problem problem;
  std::vector<std::size_t> nodes;  ///< Empty: the graph as a whole.
};
/// What validate() throws, problem by problem. A wrong tensor stops every node that reads or writes it.
[[nodiscard]] std::vector<GraphProblem> find_graph_problems(const Graph& graph);

/// The checks of one node. Its tensors have been checked before, and every id is in range.
class NodeChecker {
 public:
  NodeChecker(const Graph& graph, const Node& node, std::vector<Problem>& problems)
      : graph_(graph), node_(node), problems_(problems) {}
  /// Operand counts, then shapes and types by kind of operation.
  void check();

 private:
  void check_op(const Conv2dOp& op);
  void check_op(const TransposeConv2dOp& op);
  void check_op(const FullyConnectedOp& op);
  void check_op(const BinaryOp& op);
  void check_op(const Pool2dOp& op);
  void check_op(const MeanOp& op);
  void check_op(const PadOp& op);
  void check_op(const StridedSliceOp& op);
  void check_op(const ReshapeOp& op);
  void check_op(const TransposeOp& op);
  void check_op(const ConcatOp& op);
  void check_op(const SoftmaxOp& op);
  void check_op(const UnaryOp& op);
  void check_op(const QuantizeOp& op);
  void check_op(const DequantizeOp& op);
  void check_op(const DynamicQuantizeOp& op);
  void check_op(const MatMulOp& op);
  void check_op(const PReluOp& op);
  void check_op(const BatchNormOp& op);
  void check_op(const LayerNormOp& op);
  void check_op(const ResizeOp& op);

  /// Weights, bias and the quantization of a node on the MAC array.
  void check_mac_operands();
  void check_mac_output();
  void check_sums_or_activation(const Tensor& tensor);
  void check_window(std::int64_t kernel, std::int64_t stride, std::int64_t dilation, std::int64_t pad_before,
                    std::int64_t pad_after, std::size_t dimension);
  void check_same_shape();
  void check_same_type();
  /// Quotients of scales that the operation multiplies by (graph_validate_scales.cpp).
  void check_scales();
  void check_mac_scales();
  void check_rescaling();
  void check_scales_of(const Conv2dOp& /*op*/) { check_mac_scales(); }
  void check_scales_of(const TransposeConv2dOp& /*op*/) { check_mac_scales(); }
  void check_scales_of(const FullyConnectedOp& /*op*/) { check_mac_scales(); }
  void check_scales_of(const BinaryOp& op);
  void check_scales_of(const Pool2dOp& /*op*/) { check_rescaling(); }
  void check_scales_of(const MeanOp& /*op*/) { check_rescaling(); }
  void check_scales_of(const ConcatOp& /*op*/) { check_rescaling(); }
  void check_scales_of(const SoftmaxOp& op);
  void check_scales_of(const UnaryOp& op);
  void check_scales_of(const QuantizeOp& /*op*/) { check_rescaling(); }
  /// The others copy integers or make floats.
  template <typename Op>
  void check_scales_of(const Op& /*op*/) {}
  bool expect_quotient(float quotient, const std::string& what);
  /// The tensor has the output's scale and zero point, as operations want that take integers as they are.
  void check_same_scale(const Tensor& tensor);
  void check_float_mac_operands();
  [[nodiscard]] bool has_dynamic_range() const;
  /// Per-channel constant of a normalization: F32, as many as the input has channels.
  void check_channel_constant(std::size_t index, const std::string& subject);
  /// Operations that have no integer arithmetic.
  void check_float_only();
  /// Of a float node F32; otherwise quantized with one scale and at most 16 bits.
  void check_activation(const Tensor& tensor);
  [[nodiscard]] const Tensor& input(std::size_t index) const { return graph_.tensor(node_.inputs[index]); }
  [[nodiscard]] const Tensor& output() const { return graph_.tensor(node_.outputs[0]); }
  /// Reports a problem unless `holds`; returns `holds`.
  bool expect(bool holds, const std::string& subject, const std::string& value, const std::string& expected,
              const std::string& hint = {});
  bool expect_rank(const Tensor& tensor, std::size_t rank);
  bool expect_shape(const Tensor& tensor, const Shape& shape);
  [[nodiscard]] bool is_float() const { return is_float_node(graph_, node_); }

  const Graph& graph_;
  const Node& node_;
  std::vector<Problem>& problems_;
};

}  // namespace qsim
