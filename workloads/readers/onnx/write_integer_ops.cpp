// Quantized operators: QLinearConv and QLinearMatMul of ONNX, and those of com.microsoft.
#include <algorithm>

#include "workloads/readers/onnx/node_writer.h"

namespace qsim::onnx_write {

/// value, scale, zero point: how every one of these operators takes a tensor.
std::vector<std::string> NodeWriter::quantized_operand(TensorId id, const std::string& value) {
  return {value, values_.scale(id), values_.zero_point(id)};
}

namespace {

void append(std::vector<std::string>& inputs, const std::vector<std::string>& more) {
  inputs.insert(inputs.end(), more.begin(), more.end());
}

/// int32 elements, where they fit.
std::optional<TensorData> narrow_bias(const TensorData& bias) {
  TensorData narrow(ElementType::i32, {bias.size()});
  for (std::int64_t i = 0; i < bias.size(); ++i) {
    narrow.set(i, bias.at(i));
    if (narrow.at(i) != bias.at(i)) return std::nullopt;
  }
  return narrow;
}

/// `weights` are [outputs, kernel_h, kernel_w, inputs].
void set_window(onnx::NodeProto& conv, const Conv2dOp& op, const Shape& weights) {
  set_ints(conv, "kernel_shape", {weights[1], weights[2]});
  set_ints(conv, "strides", {op.stride_h, op.stride_w});
  set_ints(conv, "dilations", {op.dilation_h, op.dilation_w});
  set_ints(conv, "pads", {op.pad_top, op.pad_left, op.pad_bottom, op.pad_right});
  set_int(conv, "group", op.groups);
}

bool is_byte(const Tensor& tensor) {
  return tensor.type == ElementType::i8 || tensor.type == ElementType::u8;
}

}  // namespace

bool NodeWriter::write_quantized_operator(const Node& node) {
  if (const auto* conv = std::get_if<Conv2dOp>(&node.op)) {
    write_qlinear_conv(node, *conv);
  } else if (std::holds_alternative<FullyConnectedOp>(node.op)) {
    write_qgemm(node);
  } else if (const auto* matmul = std::get_if<MatMulOp>(&node.op)) {
    write_qlinear_matmul(node, *matmul);
  } else if (const auto* binary = std::get_if<BinaryOp>(&node.op)) {
    if (binary->kind != BinaryKind::add && binary->kind != BinaryKind::mul) return false;
    write_qlinear_binary(node, *binary);
  } else if (const auto* pool = std::get_if<Pool2dOp>(&node.op)) {
    return write_qlinear_pool(node, *pool);
  } else if (const auto* mean = std::get_if<MeanOp>(&node.op)) {
    return write_qlinear_mean(node, *mean);
  } else if (const auto* concat = std::get_if<ConcatOp>(&node.op)) {
    write_qlinear_concat(node, *concat);
  } else {
    return write_qlinear_unary(node);
  }
  return true;
}

/// ConvInteger, MatMulInteger: the result is the accumulator.
void NodeWriter::write_integer_product(const Node& node) {
  if (has_input(node, 2)) refuse(node, "a bias of 32-bit results", "none", "add it behind the network");
  const auto* conv = std::get_if<Conv2dOp>(&node.op);
  const auto* matmul = std::get_if<MatMulOp>(&node.op);
  const bool are_bytes = is_byte(input(node, 0)) && is_byte(input(node, 1));
  const bool is_wide = input(node, 0).type == ElementType::i16 && input(node, 1).type == ElementType::i16;
  const bool has_operator = conv != nullptr ? are_bytes : are_bytes || is_wide;
  if (!has_operator || std::holds_alternative<TransposeConv2dOp>(node.op))
    refuse(node, "32-bit results of these types", "operands of 8 bits, or of 16 bits and no convolution", "");
  const std::size_t rank = input(node, 1).shape.size();
  Layout w_layout = conv != nullptr ? channels_first(4) : graph_order(rank);
  // Of a fully connected layer the weights are [outputs, depth].
  const bool turned = conv == nullptr && (matmul == nullptr || matmul->transpose_b);
  if (turned) std::swap(w_layout[rank - 1], w_layout[rank - 2]);
  const Layout x_layout = conv != nullptr ? channels_first(4) : graph_order(input(node, 0).shape.size());
  std::vector<std::string> inputs{values_.get(node.inputs[0], x_layout),
                                  values_.get(node.inputs[1], w_layout)};
  if (!is_wide) append(inputs, {values_.zero_point(node.inputs[0]), values_.zero_point(node.inputs[1])});
  const std::string y = values_.define(
      node.outputs[0], conv != nullptr ? channels_first(4) : graph_order(output(node).shape.size()));
  const char* name = conv != nullptr ? "ConvInteger" : is_wide ? "MatMulInteger16" : "MatMulInteger";
  auto& product = builder_.node(name, node.name, inputs, y, is_wide ? kMicrosoft : "");
  if (conv != nullptr) set_window(product, *conv, input(node, 1).shape);
}

void NodeWriter::write_qlinear_conv(const Node& node, const Conv2dOp& op) {
  const TensorId w = node.inputs[1];
  std::vector<std::string> inputs =
      quantized_operand(node.inputs[0], values_.get(node.inputs[0], channels_first(4)));
  append(inputs, quantized_operand(w, values_.get(w, channels_first(4))));
  append(inputs, {values_.scale(node.outputs[0]), values_.zero_point(node.outputs[0])});
  if (has_input(node, 2)) {
    const std::optional<TensorData> bias = narrow_bias(*input(node, 2).data);
    if (!bias) refuse(node, "a bias of more than 32 bits", "32 bits", "biases of ONNX have 32 bits");
    inputs.push_back(builder_.constant(input(node, 2).name, *bias, true));
  }
  const std::string y = begin_output(node, channels_first(4));
  auto& conv = builder_.node("QLinearConv", node.name, inputs, y);
  set_window(conv, op, graph_.tensor(w).shape);
  finish_output(node, y);
}

/// [rows, depth] by weights [outputs, depth].
void NodeWriter::write_qgemm(const Node& node) {
  const Shape& w = input(node, 1).shape;
  const Shape matrix{element_count(input(node, 0).shape) / w[1], w[1]};
  std::string x = values_.get(node.inputs[0], graph_order(input(node, 0).shape.size()));
  if (input(node, 0).shape != matrix) {
    const std::string reshaped = temporary(node, "#rows");
    builder_.node("Reshape", node.name + "#reshape",
                  {x, builder_.integers(node.name + "#rows_shape", matrix)}, reshaped);
    x = reshaped;
  }
  std::vector<std::string> inputs = quantized_operand(node.inputs[0], x);
  append(inputs, quantized_operand(node.inputs[1], values_.get(node.inputs[1], graph_order(2))));
  inputs.emplace_back();
  if (has_input(node, 2)) {
    const std::optional<TensorData> bias = narrow_bias(*input(node, 2).data);
    if (!bias) refuse(node, "a bias of more than 32 bits", "32 bits", "biases of ONNX have 32 bits");
    inputs.back() = builder_.constant(input(node, 2).name, *bias, true);
  }
  append(inputs, {values_.scale(node.outputs[0]), values_.zero_point(node.outputs[0])});
  const Layout layout = graph_order(output(node).shape.size());
  const bool is_matrix = output(node).shape == Shape{matrix[0], w[0]};
  const std::string y = begin_output(node, layout);
  const std::string product = is_matrix ? y : temporary(node, "#product");
  auto& gemm = builder_.node("QGemm", node.name, inputs, product, kMicrosoft);
  set_float(gemm, "alpha", 1.0F);
  set_int(gemm, "transB", 1);
  if (!is_matrix) {
    builder_.node("Reshape", node.name + "#reshape",
                  {product, builder_.integers(node.name + "#output_shape", output(node).shape)}, y);
  }
  finish_output(node, y);
}

void NodeWriter::write_qlinear_matmul(const Node& node, const MatMulOp& op) {
  const std::size_t rank = input(node, 1).shape.size();
  Layout b_layout = graph_order(rank);
  if (op.transpose_b) std::swap(b_layout[rank - 1], b_layout[rank - 2]);
  std::vector<std::string> inputs = quantized_operand(
      node.inputs[0], values_.get(node.inputs[0], graph_order(input(node, 0).shape.size())));
  append(inputs, quantized_operand(node.inputs[1], values_.get(node.inputs[1], b_layout)));
  append(inputs, {values_.scale(node.outputs[0]), values_.zero_point(node.outputs[0])});
  const std::string y = begin_output(node, graph_order(output(node).shape.size()));
  builder_.node("QLinearMatMul", node.name, inputs, y);
  finish_output(node, y);
}

void NodeWriter::write_qlinear_binary(const Node& node, const BinaryOp& op) {
  const Layout layout = natural_layout(node);
  std::vector<std::string> inputs;
  for (const TensorId id : node.inputs)
    append(inputs, quantized_operand(id, values_.get_broadcast(id, layout)));
  append(inputs, {values_.scale(node.outputs[0]), values_.zero_point(node.outputs[0])});
  const std::string y = begin_output(node, layout);
  builder_.node(op.kind == BinaryKind::add ? "QLinearAdd" : "QLinearMul", node.name, inputs, y, kMicrosoft);
  finish_output(node, y);
}

/// The whole input at once is the global operator, whose arithmetic is another.
bool NodeWriter::write_qlinear_pool(const Node& node, const Pool2dOp& op) {
  if (op.kind != PoolKind::average) return false;
  const Shape& x = input(node, 0).shape;
  const bool is_global = op.kernel_h == x[1] && op.kernel_w == x[2] &&
                         op.pad_top + op.pad_bottom + op.pad_left + op.pad_right == 0;
  std::vector<std::string> inputs =
      quantized_operand(node.inputs[0], values_.get(node.inputs[0], channels_first(4)));
  append(inputs, {values_.scale(node.outputs[0]), values_.zero_point(node.outputs[0])});
  const std::string y = begin_output(node, channels_first(4));
  auto& pool = builder_.node(is_global ? "QLinearGlobalAveragePool" : "QLinearAveragePool", node.name, inputs,
                             y, kMicrosoft);
  set_int(pool, "channels_last", 0);
  if (!is_global) {
    set_ints(pool, "kernel_shape", {op.kernel_h, op.kernel_w});
    set_ints(pool, "strides", {op.stride_h, op.stride_w});
    set_ints(pool, "pads", {op.pad_top, op.pad_left, op.pad_bottom, op.pad_right});
    set_int(pool, "count_include_pad", op.count_include_pad ? 1 : 0);
  }
  finish_output(node, y);
  return true;
}

/// TFLite's mean over height and width is the global average pool; ONNX's own is computed with real numbers.
bool NodeWriter::write_qlinear_mean(const Node& node, const MeanOp& op) {
  const bool is_pool = input(node, 0).shape.size() == 4 && op.axes == std::vector<int>{1, 2};
  if (!is_pool || graph_.semantics == Semantics::onnx) return false;
  const Layout layout = op.keep_dims ? natural_layout(node) : graph_order(2);
  std::vector<std::string> inputs =
      quantized_operand(node.inputs[0], values_.get(node.inputs[0], channels_first(4)));
  append(inputs, {values_.scale(node.outputs[0]), values_.zero_point(node.outputs[0])});
  const bool as_pooled = layout == channels_first(4);
  const std::string y = begin_output(node, layout);
  const std::string pooled = as_pooled ? y : temporary(node, "#pooled");
  set_int(builder_.node("QLinearGlobalAveragePool", node.name, inputs, pooled, kMicrosoft), "channels_last",
          0);
  if (!as_pooled) {
    builder_.node(
        "Reshape", node.name + "#reshape",
        {pooled, builder_.integers(node.name + "#output_shape", shape_in(output(node).shape, layout))}, y);
  }
  finish_output(node, y);
  return true;
}

bool NodeWriter::write_qlinear_unary(const Node& node) {
  const auto* unary = std::get_if<UnaryOp>(&node.op);
  const auto* softmax = std::get_if<SoftmaxOp>(&node.op);
  const bool is_sigmoid = unary != nullptr && unary->kind == UnaryKind::logistic;
  const bool is_leaky = unary != nullptr && unary->kind == UnaryKind::leaky_relu;
  const bool is_softmax = softmax != nullptr && softmax->beta == 1.0F;
  if (!is_sigmoid && !is_leaky && !is_softmax) return false;
  const Layout layout = natural_layout(node);
  std::vector<std::string> inputs = quantized_operand(node.inputs[0], values_.get(node.inputs[0], layout));
  append(inputs, {values_.scale(node.outputs[0]), values_.zero_point(node.outputs[0])});
  const char* name = is_sigmoid ? "QLinearSigmoid" : is_leaky ? "QLinearLeakyRelu" : "QLinearSoftmax";
  const std::string y = begin_output(node, layout);
  auto& op = builder_.node(name, node.name, inputs, y, kMicrosoft);
  if (is_leaky) set_float(op, "alpha", unary->alpha);
  if (is_softmax) {
    set_int(op, "axis", position_of(layout, static_cast<int>(output(node).shape.size()) - 1));
    set_int(op, "opset", kOpset);
  }
  finish_output(node, y);
  return true;
}

void NodeWriter::write_qlinear_concat(const Node& node, const ConcatOp& op) {
  const Layout layout = natural_layout(node);
  std::vector<std::string> inputs{values_.scale(node.outputs[0]), values_.zero_point(node.outputs[0])};
  for (const TensorId id : node.inputs) append(inputs, quantized_operand(id, values_.get(id, layout)));
  const std::string y = begin_output(node, layout);
  set_int(builder_.node("QLinearConcat", node.name, inputs, y, kMicrosoft), "axis",
          position_of(layout, op.axis));
  finish_output(node, y);
}

}  // namespace qsim::onnx_write
