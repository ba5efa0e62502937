// The ONNX model while it is written, and what the operators need of it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "workloads/graph/graph.h"
#include "workloads/readers/onnx/onnx_write.h"
#include "workloads/readers/onnx/write_values.h"

namespace qsim::onnx_format {

/// Gives the name of an input's value in a layout; real numbers, if the operator is to be a float one.
using RealInput = std::function<std::string(std::size_t index, const Layout& layout)>;

/// Integers of 8 bits, which is what the quantized operators take.
[[nodiscard]] bool is_byte(const Tensor& tensor);
/// Stored integers of one mean the same in the other; two floats too.
[[nodiscard]] bool same_stored_quantization(const Tensor& a, const Tensor& b);
void append(std::vector<std::string>& inputs, const std::vector<std::string>& more);

struct WriteContext {
  const Graph& graph;
  OnnxStyle style;
  ModelBuilder& builder;
  Values& values;

  [[noreturn]] void refuse(const Node& node, const std::string& value, const std::string& expected,
                           const std::string& hint) const;
  [[nodiscard]] const Tensor& input(const Node& node, std::size_t i) const {
    return graph.tensor(node.inputs[i]);
  }
  [[nodiscard]] const Tensor& output(const Node& node) const { return graph.tensor(node.outputs[0]); }
  [[nodiscard]] static bool has_input(const Node& node, std::size_t i) {
    return i < node.inputs.size() && node.inputs[i] != kNoTensor;
  }
  std::string temporary(const Node& node, const char* suffix) {
    return builder.unique_value(node.name + suffix);
  }
  /// Order of dimensions in which the node's operator makes its output.
  [[nodiscard]] Layout natural_layout(const Node& node) const;

  // ---- quantized nodes -----------------------------------------------------------------------------------
  /// value, scale, zero point: how every quantized operator takes a tensor.
  std::vector<std::string> quantized_operand(TensorId id, const std::string& value);
  /// int32 elements under the tensor's own name, in a list; refuses what does not fit.
  std::string integer_bias(const Node& node);
  /// The graph clamps to the limits of the bit width and of the fused activation, ONNX to those of the type.
  [[nodiscard]] bool clamps(const Node& node) const;
  /// Names the output of a quantized node; where the graph clamps to less than the type holds the operator
  /// writes into a value before it, and finish_output() adds the Clip.
  std::string begin_output(const Node& node, const Layout& layout);
  void finish_output(const Node& node, const std::string& value);
  /// QuantizeLinear of a real result, clamped.
  void quantize_output(const Node& node, const std::string& real, const std::string& name,
                       const Layout& layout);
  /// A node's input as real numbers, integers by DequantizeLinear.
  std::string real_input(const Node& node, std::size_t i, const Layout& layout);

  // ---- float operators -----------------------------------------------------------------------------------
  /// The operator of a fused activation, of a float node; a quantized one's is left to the clamp behind its
  /// QuantizeLinear, so that runtimes find the group they know.
  std::string activated(const Node& node, Activation activation, const std::string& value);
  std::string clipped(const Node& node, const std::string& value, std::optional<float> low,
                      std::optional<float> high);
  /// A list of the output channels. Integers become real numbers by DequantizeLinear at scale s_x * s_w.
  std::string bias_value(const Node& node);
};

}  // namespace qsim::onnx_format
