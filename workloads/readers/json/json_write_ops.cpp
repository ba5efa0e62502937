// Attributes of the operations, as json_ops.cpp reads them.
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "workloads/readers/json/json_ops.h"
#include "workloads/readers/json/json_write_parts.h"

namespace qsim {
namespace {

void set_unless(OrderedJson& json, const char* key, const OrderedJson& value, const OrderedJson& fallback) {
  if (value != fallback) json[key] = value;
}

OrderedJson both_or_one(std::int64_t h, std::int64_t w) {
  return h == w ? OrderedJson(h) : OrderedJson({h, w});
}

OrderedJson padding_json(std::int64_t top, std::int64_t bottom, std::int64_t left, std::int64_t right) {
  const bool all_equal = top == bottom && top == left && top == right;
  return all_equal && top >= 0 ? OrderedJson(top) : OrderedJson({top, bottom, left, right});
}

const char* activation_name(Activation activation) {
  switch (activation) {
    case Activation::none:
      return "none";
    case Activation::relu:
      return "relu";
    case Activation::relu6:
      return "relu6";
    case Activation::relu_n1_to_1:
      return "relu_n1_to_1";
  }
  return "none";
}

/// Adds the attributes of one operation; of those that are not listed there are none.
class OpAttributes {
 public:
  OpAttributes(const Graph& graph, const Node& node, OrderedJson& json)
      : graph_(graph), node_(node), json_(json) {}

  void operator()(const Conv2dOp& op) {
    set_unless(json_, "stride", both_or_one(op.stride_h, op.stride_w), 1);
    set_unless(json_, "dilation", both_or_one(op.dilation_h, op.dilation_w), 1);
    set_unless(json_, "padding", padding_json(op.pad_top, op.pad_bottom, op.pad_left, op.pad_right), 0);
    if (json_["op"] != "depthwise_conv2d") set_unless(json_, "groups", op.groups, 1);
    activation(op.activation);
  }
  /// The output size decides what is cut off below and at the right, which may be less than nothing.
  void operator()(const TransposeConv2dOp& op) {
    const Shape& x = shape(0);
    const Shape& w = shape(1);
    const Shape& y = graph_.tensor(node_.outputs[0]).shape;
    const std::int64_t bottom = (x[1] - 1) * op.stride_h + w[1] - op.pad_top - y[1];
    const std::int64_t right = (x[2] - 1) * op.stride_w + w[2] - op.pad_left - y[2];
    set_unless(json_, "stride", both_or_one(op.stride_h, op.stride_w), 1);
    set_unless(json_, "padding", padding_json(op.pad_top, bottom, op.pad_left, right), 0);
    activation(op.activation);
  }
  void operator()(const FullyConnectedOp& op) { activation(op.activation); }
  void operator()(const BinaryOp& op) { activation(op.activation); }
  void operator()(const Pool2dOp& op) {
    json_["kernel"] = both_or_one(op.kernel_h, op.kernel_w);
    set_unless(json_, "stride", both_or_one(op.stride_h, op.stride_w), json_["kernel"]);
    set_unless(json_, "padding", padding_json(op.pad_top, op.pad_bottom, op.pad_left, op.pad_right), 0);
    set_unless(json_, "count_include_pad", op.count_include_pad, false);
    activation(op.activation);
  }
  void operator()(const MeanOp& op) {
    json_["axes"] = op.axes;
    set_unless(json_, "keep_dims", op.keep_dims, true);
  }
  void operator()(const PadOp& op) {
    json_["before"] = op.before;
    json_["after"] = op.after;
    const bool is_float = graph_.tensor(node_.inputs[0]).is_float();
    json_["value"] = is_float ? float_json(op.real_value) : OrderedJson(op.value);
  }
  void operator()(const StridedSliceOp& op) {
    json_["begin"] = op.begin;
    json_["count"] = op.count;
    set_unless(json_, "stride", op.stride, std::vector<std::int64_t>(op.stride.size(), 1));
  }
  void operator()(const ReshapeOp&) { json_["shape"] = graph_.tensor(node_.outputs[0]).shape; }
  void operator()(const TransposeOp& op) { json_["permutation"] = op.permutation; }
  void operator()(const ConcatOp& op) { json_["axis"] = op.axis; }
  void operator()(const SoftmaxOp& op) {
    set_unless(json_, "beta", float_json(op.beta), 1.0);
    set_unless(json_, "logarithm", op.logarithm, false);
  }
  void operator()(const UnaryOp& op) {
    const bool has_alpha =
        op.kind == UnaryKind::leaky_relu || op.kind == UnaryKind::elu || op.kind == UnaryKind::hard_sigmoid;
    if (has_alpha) json_["alpha"] = float_json(op.alpha);
    if (op.kind == UnaryKind::hard_sigmoid) json_["beta"] = float_json(op.beta);
    if (op.kind == UnaryKind::clip && std::isfinite(op.alpha)) json_["low"] = float_json(op.alpha);
    if (op.kind == UnaryKind::clip && std::isfinite(op.beta)) json_["high"] = float_json(op.beta);
  }
  void operator()(const MatMulOp& op) { set_unless(json_, "transpose_b", op.transpose_b, false); }
  void operator()(const PReluOp&) {}
  void operator()(const BatchNormOp&) {}
  void operator()(const LayerNormOp& op) { json_["epsilon"] = float_json(op.epsilon); }
  void operator()(const ResizeOp& op) {
    json_["coordinates"] = resize_coordinates_names()[static_cast<std::size_t>(op.coordinates)];
    if (op.mode == ResizeMode::nearest)
      json_["rounding"] = resize_rounding_names()[static_cast<std::size_t>(op.rounding)];
    if (op.blend != ResizeBlend::integers)
      json_["blend"] = resize_blend_names()[static_cast<std::size_t>(op.blend)];
    json_["scale"] = {float_json(op.scale_h), float_json(op.scale_w)};
  }
  void operator()(const QuantizeOp&) {}
  void operator()(const DequantizeOp&) {}
  void operator()(const DynamicQuantizeOp& op) {
    json_["result"] = dynamic_result_names()[static_cast<std::size_t>(op.result)];
  }

 private:
  [[nodiscard]] const Shape& shape(std::size_t input) const {
    return graph_.tensor(node_.inputs[input]).shape;
  }
  void activation(Activation value) { set_unless(json_, "activation", activation_name(value), "none"); }

  const Graph& graph_;
  const Node& node_;
  OrderedJson& json_;
};

}  // namespace

OrderedJson float_json(float value) {
  std::array<char, 32> text{};
  const char* end = std::to_chars(text.data(), text.data() + text.size() - 1, value).ptr;
  const std::string decimal(text.data(), static_cast<std::size_t>(end - text.data()));
  const double shortest = std::strtod(decimal.c_str(), nullptr);
  // Rounding decimal to double to float may miss where the decimal lies beside a tie of two floats.
  return static_cast<float>(shortest) == value ? shortest : static_cast<double>(value);
}

OrderedJson op_json(const Graph& graph, const Node& node) {
  OrderedJson json = {{"op", op_name(graph, node)}};
  std::visit(OpAttributes(graph, node, json), node.op);
  return json;
}

}  // namespace qsim
