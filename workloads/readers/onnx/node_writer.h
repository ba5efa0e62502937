// Private to the ONNX writer: one node of the graph after the other.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "workloads/graph/graph.h"
#include "workloads/readers/onnx/onnx_write.h"
#include "workloads/readers/onnx/write_values.h"

namespace qsim::onnx_write {

class NodeWriter {
 public:
  NodeWriter(const Graph& graph, OnnxStyle style, ModelBuilder& builder, Values& values)
      : graph_(graph), style_(style), builder_(builder), values_(values) {}

  /// Throws InputError where ONNX has no operator for the node.
  void write(const Node& node);

 private:
  /// Gives the name of an input's value in a layout; real numbers, if the operator is to be a float one.
  using Input = std::function<std::string(std::size_t index, const Layout& layout)>;

  struct FloatWriter;

  // write_float_ops.cpp: the node as float operators, from real inputs to a real output in `layout`.
  std::string float_op(const Node& node, const Input& input, const Layout& layout);
  std::string float_conv(const Node& node, const Conv2dOp& op, const Input& input);
  std::string float_transpose_conv(const Node& node, const TransposeConv2dOp& op, const Input& input);
  std::string float_product(const Node& node, const Input& input);
  std::string float_matmul(const Node& node, const MatMulOp& op, const Input& input);
  std::string float_binary(const Node& node, const BinaryOp& op, const Input& input);
  std::string float_pool(const Node& node, const Pool2dOp& op, const Input& input);
  std::string float_mean(const Node& node, const MeanOp& op, const Input& input, const Layout& layout);
  std::string float_unary(const Node& node, const UnaryOp& op, const Input& input, const Layout& layout);
  std::string float_softmax(const Node& node, const SoftmaxOp& op, const Input& input, const Layout& layout);
  std::string float_affine(const Node& node, const Input& input, const Layout& layout);
  std::string float_layer_norm(const Node& node, const LayerNormOp& op, const Input& input);
  std::string activated(const Node& node, Activation activation, const std::string& value);
  std::string clipped(const Node& node, const std::string& value, std::optional<float> low,
                      std::optional<float> high);
  std::string bias_value(const Node& node);

  // write_move_ops.cpp: operators that take integers as well as floats.
  bool write_movement(const Node& node);
  void write_max_pool(const Node& node, const Pool2dOp& op);
  void write_pad(const Node& node, const PadOp& op);
  std::string pads_in(const Node& node, const PadOp& op, const Layout& layout);
  void write_slice(const Node& node, const StridedSliceOp& op);
  void write_reshape(const Node& node);
  void write_transpose(const Node& node, const TransposeOp& op);
  bool write_concat(const Node& node, const ConcatOp& op);
  bool write_resize(const Node& node, const ResizeOp& op);

  // write_integer_ops.cpp: operators on quantized tensors.
  bool write_quantized_operator(const Node& node);
  void write_integer_product(const Node& node);
  void write_qlinear_conv(const Node& node, const Conv2dOp& op);
  void write_qgemm(const Node& node);
  void write_qlinear_matmul(const Node& node, const MatMulOp& op);
  void write_qlinear_binary(const Node& node, const BinaryOp& op);
  bool write_qlinear_pool(const Node& node, const Pool2dOp& op);
  bool write_qlinear_mean(const Node& node, const MeanOp& op);
  bool write_qlinear_unary(const Node& node);
  void write_qlinear_concat(const Node& node, const ConcatOp& op);
  std::vector<std::string> quantized_operand(TensorId id, const std::string& value);

  // node_writer.cpp
  void write_between_conversions(const Node& node);
  void write_gemm_between_conversions(const Node& node);
  void write_float_node(const Node& node);
  /// Names the output of a quantized node; where the graph clamps to less than the type holds the operator
  /// writes into a value before it, and finish() adds the Clip.
  std::string begin_output(const Node& node, const Layout& layout);
  void finish_output(const Node& node, const std::string& value);
  [[nodiscard]] bool clamps(const Node& node) const;
  [[nodiscard]] Layout natural_layout(const Node& node) const;
  std::string temporary(const Node& node, const char* suffix) {
    return builder_.unique_value(node.name + suffix);
  }
  [[nodiscard]] const Tensor& input(const Node& node, std::size_t i) const {
    return graph_.tensor(node.inputs[i]);
  }
  [[nodiscard]] const Tensor& output(const Node& node) const { return graph_.tensor(node.outputs[0]); }
  [[nodiscard]] static bool has_input(const Node& node, std::size_t i) {
    return i < node.inputs.size() && node.inputs[i] != kNoTensor;
  }
  [[noreturn]] void refuse(const Node& node, const std::string& value, const std::string& expected,
                           const std::string& hint) const;

  const Graph& graph_;
  OnnxStyle style_;
  ModelBuilder& builder_;
  Values& values_;
};

}  // namespace qsim::onnx_write
