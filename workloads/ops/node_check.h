// The checks of one node: what every operation's check is made of.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "workloads/graph/graph.h"
#include "workloads/graph/shape_inference.h"

namespace qsim {

/// Its tensors have been checked before, and every id is in range. Each `expect` reports a problem at the
/// node unless it holds, and returns whether it does.
class NodeCheck {
 public:
  NodeCheck(const Graph& graph, const Node& node, std::vector<Problem>& problems)
      : graph_(graph), node_(node), problems_(problems) {}
  /// Operand counts, then the operation's own check, then its scales.
  void run();

  [[nodiscard]] const Graph& graph() const { return graph_; }
  [[nodiscard]] const Node& node() const { return node_; }
  [[nodiscard]] const Tensor& input(std::size_t index) const { return graph_.tensor(node_.inputs[index]); }
  [[nodiscard]] bool has_input(std::size_t index) const {
    return index < node_.inputs.size() && node_.inputs[index] != kNoTensor;
  }
  [[nodiscard]] const Tensor& output() const { return graph_.tensor(node_.outputs[0]); }
  [[nodiscard]] bool is_float() const { return is_float_node(graph_, node_); }

  bool expect(bool holds, const std::string& subject, const std::string& value, const std::string& expected,
              const std::string& hint = {});
  bool expect_rank(const Tensor& tensor, std::size_t rank);
  bool expect_shape(const Tensor& tensor, const Shape& shape);
  /// Shape of the output as the operation infers it from its inputs, the output's own deciding what is open.
  [[nodiscard]] InferredShape inferred_shape() const;
  void expect_same_shape() { expect_shape(output(), input(0).shape); }
  void expect_inferred_shape() { expect_shape(output(), inferred_shape().shape); }
  /// All inputs have the output's element type.
  void expect_same_type();
  /// The tensor has the output's scale and zero point, as operations want that take integers as they are.
  void expect_same_scale(const Tensor& tensor);
  /// Operations that have no integer arithmetic.
  void expect_float_only();
  /// Of a float node F32; otherwise quantized with one scale and at most 16 bits.
  void expect_activation(const Tensor& tensor);
  /// Accumulators are read by a dequantize alone.
  void expect_sums_or_activation(const Tensor& tensor);
  /// An activation, or 32 bits: the accumulator itself at scale s_x * s_w, as ConvInteger gives it.
  void expect_mac_output();
  /// Per-channel constant of a normalization: F32, as many as the input has channels.
  void expect_channel_constant(std::size_t index, const std::string& subject);
  /// Of a padded window along a dimension: sizes in range, and the output's length.
  void expect_window(std::int64_t kernel, std::int64_t stride, std::int64_t dilation, std::int64_t pad_before,
                     std::int64_t pad_after, std::size_t dimension);

  // ---- scales ----
  /// TFLite: above 2^31 every sum but 0 would leave the range of every format, and the reference runtime
  /// aborts or overflows. ONNX: float32 has to hold it; what is too large saturates.
  bool expect_quotient(float quotient, const std::string& what);
  /// s_x / s_y of every quantized input.
  void expect_rescaling();
  /// s_x * s_w[n] / s_y
  void expect_mac_scales();

 private:
  const Graph& graph_;
  const Node& node_;
  std::vector<Problem>& problems_;
};

/// Column `check_scales` of operations that rescale integers.
template <typename Concrete>
void check_rescaling(const Concrete& /*op*/, NodeCheck& check) {
  check.expect_rescaling();
}

}  // namespace qsim
