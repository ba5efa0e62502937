// CHECKs that two graphs are the same: names, order, operations with every attribute, tensors with every
// property.
#pragma once

#include <catch2/catch.hpp>
#include <tuple>

#include "workloads/graph/graph.h"

namespace qsim::test {

inline auto fields(const Conv2dOp& op) {
  return std::tie(op.stride_h, op.stride_w, op.dilation_h, op.dilation_w, op.pad_top, op.pad_bottom,
                  op.pad_left, op.pad_right, op.groups, op.activation);
}
inline auto fields(const TransposeConv2dOp& op) {
  return std::tie(op.stride_h, op.stride_w, op.pad_top, op.pad_left, op.activation);
}
inline auto fields(const FullyConnectedOp& op) {
  return std::tie(op.activation);
}
inline auto fields(const BinaryOp& op) {
  return std::tie(op.kind, op.activation);
}
inline auto fields(const Pool2dOp& op) {
  return std::tie(op.kind, op.kernel_h, op.kernel_w, op.stride_h, op.stride_w, op.pad_top, op.pad_bottom,
                  op.pad_left, op.pad_right, op.activation, op.count_include_pad);
}
inline auto fields(const MeanOp& op) {
  return std::tie(op.axes, op.keep_dims);
}
inline auto fields(const PadOp& op) {
  return std::tie(op.before, op.after, op.value, op.real_value);
}
inline auto fields(const StridedSliceOp& op) {
  return std::tie(op.begin, op.stride, op.count);
}
inline auto fields(const TransposeOp& op) {
  return std::tie(op.permutation);
}
inline auto fields(const ConcatOp& op) {
  return std::tie(op.axis);
}
inline auto fields(const SoftmaxOp& op) {
  return std::tie(op.beta);
}
inline auto fields(const UnaryOp& op) {
  return std::tie(op.kind, op.alpha, op.beta);
}
inline auto fields(const MatMulOp& op) {
  return std::tie(op.transpose_b);
}
inline auto fields(const LayerNormOp& op) {
  return std::tie(op.epsilon);
}
inline auto fields(const ResizeOp& op) {
  return std::tie(op.mode, op.coordinates, op.rounding, op.scale_h, op.scale_w);
}
/// Reshape, quantize, dequantize, PReLU, batch normalization have none.
template <typename OpWithoutFields>
std::tuple<> fields(const OpWithoutFields&) {
  return {};
}

inline void check_same_quantization(const std::optional<Quantization>& a,
                                    const std::optional<Quantization>& b) {
  REQUIRE(a.has_value() == b.has_value());
  if (!a) return;
  CHECK(a->bits == b->bits);
  CHECK(a->is_signed == b->is_signed);
  CHECK(a->scales == b->scales);
  CHECK(a->axis == b->axis);
  CHECK(a->group_size == b->group_size);
  CHECK(a->group_multipliers == b->group_multipliers);
  CHECK(a->group_scale_error == b->group_scale_error);
  if (a->has_groups()) return;
  // One zero point stands for all slices.
  for (std::size_t i = 0; i < a->scales.size(); ++i)
    CHECK(a->zero_point(static_cast<std::int64_t>(i)) == b->zero_point(static_cast<std::int64_t>(i)));
}

/// Shapes of biases are not compared: a bias is a list.
inline void check_same_tensor(const Tensor& a, const Tensor& b, bool is_bias) {
  INFO("tensor " << a.name);
  CHECK(a.name == b.name);
  CHECK(a.type == b.type);
  CHECK(a.model_axes == b.model_axes);
  if (!is_bias) CHECK(a.shape == b.shape);
  check_same_quantization(a.quantization, b.quantization);
  REQUIRE(a.is_constant() == b.is_constant());
  if (a.data) CHECK(a.data->bytes == b.data->bytes);
  REQUIRE(a.required_value.has_value() == b.required_value.has_value());
  if (a.required_value) CHECK(a.required_value->bytes == b.required_value->bytes);
}

inline bool has_bias_operand(const Node& node, std::size_t input) {
  const bool on_mac_array = std::holds_alternative<Conv2dOp>(node.op) ||
                            std::holds_alternative<TransposeConv2dOp>(node.op) ||
                            std::holds_alternative<FullyConnectedOp>(node.op);
  return on_mac_array && input == 2;
}

inline void check_same_ids(const Graph& a, const std::vector<TensorId>& ids_a, const Graph& b,
                           const std::vector<TensorId>& ids_b) {
  REQUIRE(ids_a.size() == ids_b.size());
  for (std::size_t i = 0; i < ids_a.size(); ++i)
    check_same_tensor(a.tensor(ids_a[i]), b.tensor(ids_b[i]), false);
}

/// Ids may differ: tensors are the same by name.
inline void check_same_graph(const Graph& a, const Graph& b) {
  CHECK(a.name == b.name);
  CHECK(a.semantics == b.semantics);
  CHECK(a.rounding_profile == b.rounding_profile);
  CHECK(a.folded_nodes == b.folded_nodes);
  CHECK(a.provenance == b.provenance);
  check_same_ids(a, a.inputs, b, b.inputs);
  check_same_ids(a, a.outputs, b, b.outputs);
  REQUIRE(a.nodes.size() == b.nodes.size());
  for (std::size_t n = 0; n < a.nodes.size(); ++n) {
    const Node& x = a.nodes[n];
    const Node& y = b.nodes[n];
    INFO("node " << x.name);
    CHECK(x.name == y.name);
    REQUIRE(x.op.index() == y.op.index());
    std::visit(
        [&](const auto& op) { CHECK(fields(op) == fields(std::get<std::decay_t<decltype(op)>>(y.op))); },
        x.op);
    std::vector<TensorId> inputs_x = x.inputs, inputs_y = y.inputs;
    inputs_x.resize(std::max(x.inputs.size(), y.inputs.size()),
                    kNoTensor);  // An absent bias may be left out.
    inputs_y.resize(inputs_x.size(), kNoTensor);
    for (std::size_t i = 0; i < inputs_x.size(); ++i) {
      REQUIRE((inputs_x[i] == kNoTensor) == (inputs_y[i] == kNoTensor));
      if (inputs_x[i] == kNoTensor) continue;
      check_same_tensor(a.tensor(inputs_x[i]), b.tensor(inputs_y[i]), has_bias_operand(x, i));
    }
    check_same_ids(a, x.outputs, b, y.outputs);
  }
}

}  // namespace qsim::test
