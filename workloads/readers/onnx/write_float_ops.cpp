// Operators on real numbers. Of a quantized node the fused activation is left to the clamp behind its
// QuantizeLinear, so that runtimes find the group they know.
#include <algorithm>
#include <cmath>

#include "workloads/readers/onnx/node_writer.h"

namespace qsim::onnx_write {
namespace {

std::vector<std::int64_t> both(std::int64_t h, std::int64_t w) {
  return {h, w};
}

const char* binary_name(BinaryKind kind) {
  constexpr std::array kNames{"Add", "Sub", "Mul", "Div", "Min", "Max", "Pow"};
  return kNames[static_cast<std::size_t>(kind)];
}

/// Operators without attributes; nullptr for the others.
const char* plain_unary_name(UnaryKind kind) {
  switch (kind) {
    case UnaryKind::logistic:
      return "Sigmoid";
    case UnaryKind::tanh:
      return "Tanh";
    case UnaryKind::relu:
      return "Relu";
    case UnaryKind::hard_swish:
      return "HardSwish";
    case UnaryKind::erf:
      return "Erf";
    case UnaryKind::exp:
      return "Exp";
    case UnaryKind::log:
      return "Log";
    case UnaryKind::sqrt:
      return "Sqrt";
    case UnaryKind::reciprocal:
      return "Reciprocal";
    case UnaryKind::neg:
      return "Neg";
    case UnaryKind::abs:
      return "Abs";
    case UnaryKind::floor:
      return "Floor";
    case UnaryKind::ceil:
      return "Ceil";
    case UnaryKind::softplus:
      return "Softplus";
    default:
      return nullptr;
  }
}

}  // namespace

/// One operation as float operators.
struct NodeWriter::FloatWriter {
  NodeWriter& self;
  const Node& node;
  const Input& input;
  const Layout& layout;
  std::string operator()(const Conv2dOp& op) const { return self.float_conv(node, op, input); }
  std::string operator()(const TransposeConv2dOp& op) const {
    return self.float_transpose_conv(node, op, input);
  }
  std::string operator()(const FullyConnectedOp&) const { return self.float_product(node, input); }
  std::string operator()(const MatMulOp& op) const { return self.float_matmul(node, op, input); }
  std::string operator()(const BinaryOp& op) const { return self.float_binary(node, op, input); }
  std::string operator()(const Pool2dOp& op) const { return self.float_pool(node, op, input); }
  std::string operator()(const MeanOp& op) const { return self.float_mean(node, op, input, layout); }
  std::string operator()(const UnaryOp& op) const { return self.float_unary(node, op, input, layout); }
  std::string operator()(const SoftmaxOp& op) const { return self.float_softmax(node, op, input, layout); }
  std::string operator()(const BatchNormOp&) const { return self.float_affine(node, input, layout); }
  std::string operator()(const LayerNormOp& op) const { return self.float_layer_norm(node, op, input); }
  std::string operator()(const PReluOp&) const {
    const std::string y = self.temporary(node, "#y");
    self.builder_.node("PRelu", node.name, {input(0, layout), input(1, layout)}, y);
    return y;
  }
  std::string operator()(const ConcatOp& op) const {
    std::vector<std::string> inputs;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) inputs.push_back(input(i, layout));
    const std::string y = self.temporary(node, "#y");
    set_int(self.builder_.node("Concat", node.name, inputs, y), "axis", position_of(layout, op.axis));
    return y;
  }
  /// Of integers that no operator pads.
  std::string operator()(const PadOp& op) const {
    const Quantization& q = *self.output(node).quantization;
    const float value = static_cast<float>(op.value - q.zero_point()) * q.scale();
    const std::string y = self.temporary(node, "#y");
    self.builder_.node(
        "Pad", node.name,
        {input(0, layout), self.pads_in(node, op, layout), self.builder_.scalar(node.name + "#value", value)},
        y);
    return y;
  }
  std::string operator()(const DynamicQuantizeOp&) const {
    self.refuse(node, "dynamic_quantize", "scales that do not depend on the data",
                "convert to a workload in JSON, or quantize the model statically");
  }
  /// Quantize and dequantize are conversions; the rest is movement and written elsewhere.
  template <typename OtherOp>
  std::string operator()(const OtherOp&) const {
    self.refuse(node, std::string(op_name(self.graph_, node)), "an operation that ONNX has on these types",
                "");
  }
};

std::string NodeWriter::float_op(const Node& node, const Input& input, const Layout& layout) {
  return std::visit(FloatWriter{*this, node, input, layout}, node.op);
}

std::string NodeWriter::clipped(const Node& node, const std::string& value, std::optional<float> low,
                                std::optional<float> high) {
  const std::string y = temporary(node, "#clipped");
  std::vector<std::string> inputs{value, low ? builder_.scalar(node.name + "#low", *low) : ""};
  if (high) inputs.push_back(builder_.scalar(node.name + "#high", *high));
  builder_.node("Clip", node.name + "#clip", inputs, y);
  return y;
}

std::string NodeWriter::activated(const Node& node, Activation activation, const std::string& value) {
  if (!is_float_node(graph_, node)) return value;
  switch (activation) {
    case Activation::none:
      return value;
    case Activation::relu: {
      const std::string y = temporary(node, "#relu");
      builder_.node("Relu", node.name + "#relu", {value}, y);
      return y;
    }
    case Activation::relu6:
      return clipped(node, value, 0.0F, 6.0F);
    case Activation::relu_n1_to_1:
      return clipped(node, value, -1.0F, 1.0F);
  }
  return value;
}

/// A list of the output channels. Integers become real numbers by DequantizeLinear at scale s_x * s_w.
std::string NodeWriter::bias_value(const Node& node) {
  const TensorId id = node.inputs[2];
  const Tensor& tensor = graph_.tensor(id);
  TensorData data = *tensor.data;
  data.shape = {data.size()};
  if (tensor.is_float()) return builder_.constant(tensor.name, data, true);
  TensorData narrow(ElementType::i32, data.shape);
  for (std::int64_t i = 0; i < data.size(); ++i) {
    narrow.set(i, data.at(i));
    if (narrow.at(i) != data.at(i)) {
      refuse(node, "bias element " + std::to_string(i) + " = " + std::to_string(data.at(i)), "32 bits",
             "biases of ONNX have 32 bits");
    }
  }
  const std::string integers = builder_.constant(tensor.name, narrow, true);
  const Quantization& w = *input(node, 1).quantization;
  std::vector<float> scales;
  for (const float scale : w.scales) scales.push_back(input(node, 0).quantization->scale() * scale);
  const std::string scale = scales.size() == 1 ? builder_.scalar(tensor.name + "#scale", scales[0])
                                               : builder_.floats(tensor.name + "#scale", scales);
  TensorData zeros(ElementType::i32,
                   scales.size() == 1 ? Shape{} : Shape{static_cast<std::int64_t>(scales.size())});
  const std::string real = builder_.unique_value(tensor.name + "#real");
  auto& dequantize =
      builder_.node("DequantizeLinear", tensor.name + "#dequantize",
                    {integers, scale, builder_.constant(tensor.name + "#zero_point", zeros)}, real);
  if (scales.size() > 1) set_int(dequantize, "axis", 0);
  return real;
}

std::string NodeWriter::float_conv(const Node& node, const Conv2dOp& op, const Input& input_value) {
  std::vector<std::string> inputs{input_value(0, channels_first(4)), input_value(1, channels_first(4))};
  if (has_input(node, 2)) inputs.push_back(bias_value(node));
  const Shape& w = input(node, 1).shape;
  const std::string y = temporary(node, "#y");
  auto& conv = builder_.node("Conv", node.name, inputs, y);
  set_ints(conv, "kernel_shape", both(w[1], w[2]));
  set_ints(conv, "strides", both(op.stride_h, op.stride_w));
  set_ints(conv, "dilations", both(op.dilation_h, op.dilation_w));
  set_ints(conv, "pads", {op.pad_top, op.pad_left, op.pad_bottom, op.pad_right});
  set_int(conv, "group", op.groups);
  return activated(node, op.activation, y);
}

/// y = (x - 1) * stride + kernel - pads + output_padding, the last less than the stride.
std::string NodeWriter::float_transpose_conv(const Node& node, const TransposeConv2dOp& op,
                                             const Input& input_value) {
  const Shape& x = input(node, 0).shape;
  const Shape& w = input(node, 1).shape;
  const Shape& y = output(node).shape;
  const std::int64_t bottom = (x[1] - 1) * op.stride_h + w[1] - op.pad_top - y[1];
  const std::int64_t right = (x[2] - 1) * op.stride_w + w[2] - op.pad_left - y[2];
  if (-bottom >= op.stride_h || -right >= op.stride_w) {
    refuse(node, "output " + to_string(y), "at most stride - 1 rows and columns that no tap reaches",
           "ONNX has no more output_padding");
  }
  std::vector<std::string> inputs{input_value(0, channels_first(4)), input_value(1, {3, 0, 1, 2})};
  if (has_input(node, 2)) inputs.push_back(bias_value(node));
  const std::string value = temporary(node, "#y");
  auto& conv = builder_.node("ConvTranspose", node.name, inputs, value);
  set_ints(conv, "kernel_shape", both(w[1], w[2]));
  set_ints(conv, "strides", both(op.stride_h, op.stride_w));
  set_ints(conv, "pads",
           {op.pad_top, op.pad_left, std::max<std::int64_t>(bottom, 0), std::max<std::int64_t>(right, 0)});
  set_ints(conv, "output_padding",
           both(std::max<std::int64_t>(-bottom, 0), std::max<std::int64_t>(-right, 0)));
  return activated(node, op.activation, value);
}

/// [rows, depth] by [depth, outputs].
std::string NodeWriter::float_product(const Node& node, const Input& input_value) {
  const Shape& w = input(node, 1).shape;
  const std::int64_t rows = element_count(input(node, 0).shape) / w[1];
  std::string x = input_value(0, graph_order(input(node, 0).shape.size()));
  if (input(node, 0).shape != Shape{rows, w[1]}) {
    const std::string matrix = temporary(node, "#rows");
    builder_.node("Reshape", node.name + "#reshape",
                  {x, builder_.integers(node.name + "#rows_shape", Shape{rows, w[1]})}, matrix);
    x = matrix;
  }
  std::vector<std::string> inputs{x, input_value(1, graph_order(2))};
  if (has_input(node, 2)) inputs.push_back(bias_value(node));
  std::string y = temporary(node, "#y");
  set_int(builder_.node("Gemm", node.name, inputs, y), "transB", 1);
  y = activated(node, std::get<FullyConnectedOp>(node.op).activation, y);
  if (output(node).shape == Shape{rows, w[0]}) return y;
  const std::string shaped = temporary(node, "#shaped");
  builder_.node("Reshape", node.name + "#reshape",
                {y, builder_.integers(node.name + "#output_shape", output(node).shape)}, shaped);
  return shaped;
}

std::string NodeWriter::float_matmul(const Node& node, const MatMulOp& op, const Input& input_value) {
  const std::size_t rank = input(node, 1).shape.size();
  Layout b_layout = graph_order(rank);
  if (op.transpose_b) std::swap(b_layout[rank - 1], b_layout[rank - 2]);
  const std::string y = temporary(node, "#y");
  builder_.node("MatMul", node.name,
                {input_value(0, graph_order(input(node, 0).shape.size())), input_value(1, b_layout)}, y);
  return y;
}

std::string NodeWriter::float_binary(const Node& node, const BinaryOp& op, const Input& input_value) {
  const Layout layout = natural_layout(node);
  const std::string y = temporary(node, "#y");
  builder_.node(binary_name(op.kind), node.name, {input_value(0, layout), input_value(1, layout)}, y);
  return activated(node, op.activation, y);
}

std::string NodeWriter::float_pool(const Node& node, const Pool2dOp& op, const Input& input_value) {
  const std::string x = input_value(0, channels_first(4));
  const std::string y = temporary(node, "#y");
  const bool is_average = op.kind == PoolKind::average;
  auto& pool = builder_.node(is_average ? "AveragePool" : "MaxPool", node.name, {x}, y);
  set_ints(pool, "kernel_shape", both(op.kernel_h, op.kernel_w));
  set_ints(pool, "strides", both(op.stride_h, op.stride_w));
  set_ints(pool, "pads", {op.pad_top, op.pad_left, op.pad_bottom, op.pad_right});
  if (is_average) set_int(pool, "count_include_pad", op.count_include_pad ? 1 : 0);
  return activated(node, op.activation, y);
}

std::string NodeWriter::float_mean(const Node& node, const MeanOp& op, const Input& input_value,
                                   const Layout& layout) {
  // Without kept dimensions the output has fewer than the input, in the graph's order.
  const Layout x_layout = op.keep_dims ? layout : graph_order(input(node, 0).shape.size());
  std::vector<std::int64_t> axes;
  for (const int axis : op.axes) axes.push_back(position_of(x_layout, axis));
  std::sort(axes.begin(), axes.end());
  const std::string x = input_value(0, x_layout);
  const std::string y = temporary(node, "#y");
  auto& mean = builder_.node("ReduceMean", node.name, {x, builder_.integers(node.name + "#axes", axes)}, y);
  set_int(mean, "keepdims", op.keep_dims ? 1 : 0);
  return y;
}

std::string NodeWriter::float_unary(const Node& node, const UnaryOp& op, const Input& input_value,
                                    const Layout& layout) {
  const std::string x = input_value(0, layout);
  const std::string y = temporary(node, "#y");
  const auto bounded = [&](std::optional<float> low, std::optional<float> high) {
    std::vector<std::string> inputs{x, low ? builder_.scalar(node.name + "#low", *low) : ""};
    if (high) inputs.push_back(builder_.scalar(node.name + "#high", *high));
    builder_.node("Clip", node.name, inputs, y);
  };
  const auto finite = [](float bound) { return std::isfinite(bound) ? std::optional(bound) : std::nullopt; };
  if (const char* name = plain_unary_name(op.kind)) {
    builder_.node(name, node.name, {x}, y);
    return y;
  }
  switch (op.kind) {
    case UnaryKind::leaky_relu:
      set_float(builder_.node("LeakyRelu", node.name, {x}, y), "alpha", op.alpha);
      break;
    case UnaryKind::elu:
      set_float(builder_.node("Elu", node.name, {x}, y), "alpha", op.alpha);
      break;
    case UnaryKind::hard_sigmoid: {
      auto& sigmoid = builder_.node("HardSigmoid", node.name, {x}, y);
      set_float(sigmoid, "alpha", op.alpha);
      set_float(sigmoid, "beta", op.beta);
      break;
    }
    case UnaryKind::gelu:
    case UnaryKind::gelu_tanh:
      set_text(builder_.node("Gelu", node.name, {x}, y), "approximate",
               op.kind == UnaryKind::gelu ? "none" : "tanh");
      break;
    case UnaryKind::relu6:
      bounded(0.0F, 6.0F);
      break;
    case UnaryKind::relu_n1_to_1:
      bounded(-1.0F, 1.0F);
      break;
    default:
      bounded(finite(op.alpha), finite(op.beta));
      break;
  }
  return y;
}

std::string NodeWriter::float_softmax(const Node& node, const SoftmaxOp& op, const Input& input_value,
                                      const Layout& layout) {
  std::string x = input_value(0, layout);
  if (op.beta != 1.0F) {
    const std::string scaled = temporary(node, "#scaled");
    builder_.node("Mul", node.name + "#beta", {x, builder_.scalar(node.name + "#beta", op.beta)}, scaled);
    x = scaled;
  }
  const std::string y = temporary(node, "#y");
  const auto last = static_cast<int>(output(node).shape.size()) - 1;
  set_int(builder_.node(op.logarithm ? "LogSoftmax" : "Softmax", node.name, {x}, y), "axis",
          position_of(layout, last));
  return y;
}

/// scale * x + shift, one of each a channel.
std::string NodeWriter::float_affine(const Node& node, const Input& input_value, const Layout& layout) {
  const std::string scaled = temporary(node, "#scaled");
  builder_.node("Mul", node.name, {input_value(0, layout), input_value(1, layout)}, scaled);
  const std::string y = temporary(node, "#y");
  builder_.node("Add", node.name + "#shift", {scaled, input_value(2, layout)}, y);
  return y;
}

std::string NodeWriter::float_layer_norm(const Node& node, const LayerNormOp& op, const Input& input_value) {
  const Shape& shape = input(node, 0).shape;
  const auto parameter = [&](std::size_t i) {
    TensorData data = *graph_.tensor(node.inputs[i]).data;
    data.shape = {shape.back()};
    return builder_.constant(graph_.tensor(node.inputs[i]).name, data, true);
  };
  const std::vector<float> ones(static_cast<std::size_t>(shape.back()), 1.0F);
  std::vector<std::string> inputs{
      input_value(0, graph_order(shape.size())),
      has_input(node, 1) ? parameter(1) : builder_.floats(node.name + "#ones", ones)};
  if (has_input(node, 2)) inputs.push_back(parameter(2));
  const std::string y = temporary(node, "#y");
  auto& norm = builder_.node("LayerNormalization", node.name, inputs, y);
  set_int(norm, "axis", -1);
  set_float(norm, "epsilon", op.epsilon);
  return y;
}

}  // namespace qsim::onnx_write
