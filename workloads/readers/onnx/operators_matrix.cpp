// Gemm and MatMul.
#include <algorithm>
#include <array>
#include <limits>

#include "workloads/readers/onnx/operator_context.h"
#include "workloads/readers/onnx/weights.h"
#include "workloads/readers/onnx/write_context.h"

namespace qsim::onnx_format {
namespace {

/// A constant of floats times `factor`.
TensorId scaled_constant(OperatorContext& context, std::size_t index, float factor,
                         const DimensionOrder& order) {
  OnnxTensor scaled = *context.builder.constant(context.operand(index).value);
  if (scaled.type != OnnxType::float32)
    context.fail("weights \"" + context.operand(index).value + "\"", onnx_type_name(scaled.type), "FLOAT");
  for (std::int64_t i = 0; i < scaled.size(); ++i) scaled.put<float>(i, scaled.get<float>(i) * factor);
  return context.builder.constant_tensor(context.operand(index).value, scaled, order, std::nullopt);
}

/// y = alpha * op(a) op(b) + beta * c.
void read_gemm(OperatorContext& context) {
  context.expect_inputs(2, 3);
  float alpha = context.attributes.real("alpha", 1.0F);
  const float beta = context.attributes.real("beta", 1.0F);
  const bool transposes_a = context.attributes.flag("transA", false);
  const bool transposes_b = context.attributes.flag("transB", false);
  const Shape& a = context.shape(0);
  const Shape& b = context.shape(1);
  if (a.size() != 2 || b.size() != 2)
    context.fail("inputs", "shapes " + to_string(a) + " and " + to_string(b), "two matrices");
  if (context.node.op_type == "QGemm" && alpha > 0.0F) {
    // ONNX Runtime multiplies (alpha * s_a) * s_b / s_y, each product rounded: the first operand's scale is
    // the first product.
    context.operands.front().quantization->scales.front() *= alpha;
    alpha = 1.0F;
  }
  const bool scales_constants = context.is_float() && context.is_constant(1);
  if (!scales_constants && (alpha != 1.0F || (beta != 1.0F && context.has(2))))
    context.fail("attributes alpha and beta", std::to_string(alpha) + " and " + std::to_string(beta),
                 "1 and 1", "multiply the constants by them");
  const std::int64_t rows = a[transposes_a ? 1 : 0];
  const std::int64_t depth = a[transposes_a ? 0 : 1];
  const std::int64_t outputs = b[transposes_b ? 0 : 1];
  if (b[transposes_b ? 1 : 0] != depth)
    context.fail("inputs", "shapes " + to_string(a) + " and " + to_string(b),
                 "an inner dimension of " + std::to_string(depth));
  TensorId left = context.tensor(0, DimensionOrder::plain(2));
  if (transposes_a) {
    const Tensor given = context.builder.graph().tensor(left);
    Node node = context.new_node(TransposeOp{{1, 0}}, {left});
    node.name += "#transpose";
    left =
        context.builder.add_tensor(given.name + "#transpose", given.type, {rows, depth}, given.quantization);
    node.outputs = {left};
    context.builder.add_node(std::move(node), context.index);
  }
  if (!context.is_constant(1)) {
    if (context.has(2))
      context.fail("input C", "a product of two activations with a summand", "no summand", "add it with Add");
    const TensorId right = context.tensor(1, DimensionOrder::plain(2));
    return context.emit(MatMulOp{transposes_b}, {left, right}, {rows, outputs}, DimensionOrder::plain(2));
  }
  expect_scales_along(context, transposes_b ? 0 : 1);
  const DimensionOrder order = transposes_b ? DimensionOrder::plain(2) : DimensionOrder{{1, 0}, 2};
  const TensorId weights =
      alpha == 1.0F ? context.tensor(1, order) : scaled_constant(context, 1, alpha, order);
  const TensorId summand = bias_tensor(context, 2, outputs, context.operand(0), context.operand(1));
  if (summand != kNoTensor && beta != 1.0F) {
    for (float& value : context.builder.graph().tensor(summand).data->as<float>()) value *= beta;
  }
  context.emit(FullyConnectedOp{context.activation}, {left, weights, summand}, {rows, outputs},
               DimensionOrder::plain(2));
}

void read_matmul_constant(OperatorContext& context) {
  Shape y = context.shape(0);
  y.back() = context.shape(1).back();
  expect_scales_along(context, 1);
  const DimensionOrder order = DimensionOrder::plain(y.size());
  const TensorId left = context.tensor(0, order);
  const TensorId weights = context.tensor(1, {{1, 0}, 2});
  const TensorId bias = bias_tensor(context, 2, y.back(), context.operand(0), context.operand(1));
  context.emit(FullyConnectedOp{context.activation}, {left, weights, bias}, y, order);
}

void read_matmul_activations(OperatorContext& context) {
  const Shape& a = context.shape(0);
  const Shape& b = context.shape(1);
  const auto leading = broadcast_shape(Shape(a.begin(), a.end() - 2), Shape(b.begin(), b.end() - 2));
  if (!leading)
    context.fail("inputs", "shapes " + to_string(a) + " and " + to_string(b),
                 "leading dimensions that broadcast");
  Shape y = *leading;
  y.push_back(a[a.size() - 2]);
  y.push_back(b.back());
  const TensorId left = context.tensor(0, DimensionOrder::plain(a.size()));
  const TensorId right = context.tensor(1, DimensionOrder::plain(b.size()));
  context.emit(MatMulOp{false}, {left, right}, y, DimensionOrder::plain(y.size()));
}

/// A third operand is the bias of a group of QONNX.
void read_matmul(OperatorContext& context) {
  context.expect_inputs(2, context.node.inputs.size() == 2 ? 3 : 2);
  const Shape& a = context.shape(0);
  const Shape& b = context.shape(1);
  if (a.size() < 2 || b.size() < 2)
    context.fail("inputs", "shapes " + to_string(a) + " and " + to_string(b), "two or more dimensions",
                 "unsqueeze the vector");
  if (a.back() != b[b.size() - 2])
    context.fail("inputs", "shapes " + to_string(a) + " and " + to_string(b),
                 "an inner dimension of " + std::to_string(a.back()));
  const bool is_matrix = b.size() == 2;
  if (context.is_constant(1) && is_matrix) return read_matmul_constant(context);
  read_matmul_activations(context);
}

std::optional<QuantizedOperator> quantized_gemm(const OnnxNode& node) {
  const bool transposes_b = std::ranges::any_of(node.attributes, [](const OnnxAttribute& attribute) {
    const auto* value = std::get_if<std::int64_t>(&attribute.value);
    return attribute.name == "transB" && value != nullptr && *value != 0;
  });
  return scaled_operands(node, 2, 6, 7, transposes_b ? 0 : -1);
}
std::optional<QuantizedOperator> quantized_matmul(const OnnxNode& node) {
  return scaled_operands(node, 2, 0, 6);
}
std::optional<QuantizedOperator> integer_matmul(const OnnxNode& node) {
  return integer_operands(node);
}
/// Without zero points.
std::optional<QuantizedOperator> wide_matmul(const OnnxNode& node) {
  return node.inputs.size() == 2 ? integer_operands(node) : std::nullopt;
}

// ONNX Runtime takes the integers of a bias whatever its scale says (measured with 1.30 and 1.32).
constexpr GroupRule kGemmGroup{.data_inputs = 2,
                               .has_bias = true,
                               .takes_activation = true,
                               .bias_tolerance = {0.0F, std::numeric_limits<float>::infinity()}};

// ---- writing ----------------------------------------------------------------------------------------------

/// [rows, depth] by [depth, outputs].
std::string write_real_product(WriteContext& writer, const Node& node, const RealInput& input_value,
                               const Layout& /*layout*/) {
  const Shape& w = writer.input(node, 1).shape;
  const std::int64_t rows = element_count(writer.input(node, 0).shape) / w[1];
  std::string x = input_value(0, graph_order(writer.input(node, 0).shape.size()));
  if (writer.input(node, 0).shape != Shape{rows, w[1]}) {
    const std::string matrix = writer.temporary(node, "#rows");
    writer.builder.node("Reshape", node.name + "#reshape",
                        {x, writer.builder.integers(node.name + "#rows_shape", Shape{rows, w[1]})}, matrix);
    x = matrix;
  }
  std::vector<std::string> inputs{x, input_value(1, graph_order(2))};
  if (writer.has_input(node, 2)) inputs.push_back(writer.bias_value(node));
  std::string y = writer.temporary(node, "#y");
  set_int(writer.builder.node("Gemm", node.name, inputs, y), "transB", 1);
  y = writer.activated(node, std::get<FullyConnectedOp>(node.op).activation, y);
  if (writer.output(node).shape == Shape{rows, w[0]}) return y;
  const std::string shaped = writer.temporary(node, "#shaped");
  writer.builder.node("Reshape", node.name + "#reshape",
                      {y, writer.builder.integers(node.name + "#output_shape", writer.output(node).shape)},
                      shaped);
  return shaped;
}

std::string write_real_matmul(WriteContext& writer, const Node& node, const RealInput& input_value,
                              const Layout& /*layout*/) {
  const auto& op = std::get<MatMulOp>(node.op);
  const std::size_t rank = writer.input(node, 1).shape.size();
  Layout b_layout = graph_order(rank);
  if (op.transpose_b) std::swap(b_layout[rank - 1], b_layout[rank - 2]);
  const std::string y = writer.temporary(node, "#y");
  writer.builder.node(
      "MatMul", node.name,
      {input_value(0, graph_order(writer.input(node, 0).shape.size())), input_value(1, b_layout)}, y);
  return y;
}

/// MatMulInteger, or MatMulInteger16 without zero points: the result is the accumulator.
void write_matmul_integer(WriteContext& writer, const Node& node) {
  if (WriteContext::has_input(node, 2))
    writer.refuse(node, "a bias of 32-bit results", "none", "add it behind the network");
  const auto have = [&](auto is_type) {
    return is_type(writer.input(node, 0)) && is_type(writer.input(node, 1));
  };
  const bool is_wide = have([](const Tensor& tensor) { return tensor.type == ElementType::i16; });
  if (!is_wide && !have(is_byte))
    writer.refuse(node, "32-bit results of these types",
                  "operands of 8 bits, or of 16 bits and no convolution", "");
  const std::size_t rank = writer.input(node, 1).shape.size();
  Layout w_layout = graph_order(rank);
  // Of a fully connected layer the weights are [outputs, depth].
  const auto* matmul = std::get_if<MatMulOp>(&node.op);
  if (matmul == nullptr || matmul->transpose_b) std::swap(w_layout[rank - 1], w_layout[rank - 2]);
  std::vector<std::string> inputs{
      writer.values.get(node.inputs[0], graph_order(writer.input(node, 0).shape.size())),
      writer.values.get(node.inputs[1], w_layout)};
  if (!is_wide)
    append(inputs, {writer.values.zero_point(node.inputs[0]), writer.values.zero_point(node.inputs[1])});
  const std::string y = writer.values.define(node.outputs[0], graph_order(writer.output(node).shape.size()));
  writer.builder.node(is_wide ? "MatMulInteger16" : "MatMulInteger", node.name, inputs, y,
                      is_wide ? kMicrosoft : "");
}

/// [rows, depth] by weights [outputs, depth].
bool write_qgemm(WriteContext& writer, const Node& node) {
  const Shape& w = writer.input(node, 1).shape;
  const Shape matrix{element_count(writer.input(node, 0).shape) / w[1], w[1]};
  std::string x = writer.values.get(node.inputs[0], graph_order(writer.input(node, 0).shape.size()));
  if (writer.input(node, 0).shape != matrix) {
    const std::string reshaped = writer.temporary(node, "#rows");
    writer.builder.node("Reshape", node.name + "#reshape",
                        {x, writer.builder.integers(node.name + "#rows_shape", matrix)}, reshaped);
    x = reshaped;
  }
  std::vector<std::string> inputs = writer.quantized_operand(node.inputs[0], x);
  append(inputs, writer.quantized_operand(node.inputs[1], writer.values.get(node.inputs[1], graph_order(2))));
  inputs.emplace_back();
  if (writer.has_input(node, 2)) {
    inputs.back() = writer.integer_bias(node);
  }
  append(inputs, {writer.values.scale(node.outputs[0]), writer.values.zero_point(node.outputs[0])});
  const Layout layout = graph_order(writer.output(node).shape.size());
  const bool is_matrix = writer.output(node).shape == Shape{matrix[0], w[0]};
  const std::string y = writer.begin_output(node, layout);
  const std::string product = is_matrix ? y : writer.temporary(node, "#product");
  auto& gemm = writer.builder.node("QGemm", node.name, inputs, product, kMicrosoft);
  set_float(gemm, "alpha", 1.0F);
  set_int(gemm, "transB", 1);
  if (!is_matrix) {
    writer.builder.node(
        "Reshape", node.name + "#reshape",
        {product, writer.builder.integers(node.name + "#output_shape", writer.output(node).shape)}, y);
  }
  writer.finish_output(node, y);
  return true;
}

bool write_qlinear_matmul(WriteContext& writer, const Node& node) {
  const auto& op = std::get<MatMulOp>(node.op);
  const std::size_t rank = writer.input(node, 1).shape.size();
  Layout b_layout = graph_order(rank);
  if (op.transpose_b) std::swap(b_layout[rank - 1], b_layout[rank - 2]);
  std::vector<std::string> inputs = writer.quantized_operand(
      node.inputs[0], writer.values.get(node.inputs[0], graph_order(writer.input(node, 0).shape.size())));
  append(inputs, writer.quantized_operand(node.inputs[1], writer.values.get(node.inputs[1], b_layout)));
  append(inputs, {writer.values.scale(node.outputs[0]), writer.values.zero_point(node.outputs[0])});
  const std::string y = writer.begin_output(node, graph_order(writer.output(node).shape.size()));
  writer.builder.node("QLinearMatMul", node.name, inputs, y);
  writer.finish_output(node, y);
  return true;
}

/// Integers are reshaped, before and behind, so that nothing stands between the product and its conversions.
bool write_gemm_conversion(WriteContext& writer, const Node& node) {
  const bool is_product = !writer.input(node, 0).is_float();
  if (!is_product || (!is_byte(writer.output(node)) && writer.clamps(node))) return false;
  const Shape& w = writer.input(node, 1).shape;
  const Shape& x_shape = writer.input(node, 0).shape;
  const Shape matrix{element_count(x_shape) / w[1], w[1]};
  const Shape product{matrix[0], w[0]};
  std::string x = writer.values.get(node.inputs[0], graph_order(x_shape.size()));
  if (x_shape != matrix) {
    const std::string reshaped = writer.temporary(node, "#rows");
    writer.builder.node("Reshape", node.name + "#reshape",
                        {x, writer.builder.integers(node.name + "#rows_shape", matrix)}, reshaped);
    x = reshaped;
  }
  const Layout rows = graph_order(2);
  std::vector<std::string> inputs{
      writer.values.real(node.inputs[0], x, rows),
      writer.values.real(node.inputs[1], writer.values.get(node.inputs[1], rows), rows)};
  if (writer.has_input(node, 2)) inputs.push_back(writer.bias_value(node));
  const std::string real = writer.temporary(node, "#y");
  set_int(writer.builder.node("Gemm", node.name, inputs, real), "transB", 1);
  const std::string y = writer.begin_output(node, graph_order(writer.output(node).shape.size()));
  const bool is_matrix = writer.output(node).shape == product;
  const std::string integers = is_matrix ? y : writer.temporary(node, "#product");
  writer.builder.node("QuantizeLinear", node.name + "#quantize",
                      {real, writer.values.scale(node.outputs[0]), writer.values.zero_point(node.outputs[0])},
                      integers);
  if (!is_matrix) {
    writer.builder.node(
        "Reshape", node.name + "#reshape_output",
        {integers, writer.builder.integers(node.name + "#output_shape", writer.output(node).shape)}, y);
  }
  writer.finish_output(node, y);
  return true;
}

constexpr std::array kMatrixRows{
    OperatorRow{.name = "Gemm",
                .read = read_gemm,
                .group = kGemmGroup,
                .first_constant = 2,
                .write = {.operation = operation_index<FullyConnectedOp>(),
                          .layout = ResultLayout::graph,
                          .accumulators = write_matmul_integer,
                          .quantized = write_qgemm,
                          .conversion = write_gemm_conversion,
                          .real = write_real_product}},
    OperatorRow{.name = "MatMul",
                .read = read_matmul,
                .group = GroupRule{.data_inputs = 2},
                .write = {.operation = operation_index<MatMulOp>(),
                          .layout = ResultLayout::graph,
                          .accumulators = write_matmul_integer,
                          .quantized = write_qlinear_matmul,
                          .real = write_real_matmul}},
    OperatorRow{.name = "QGemm", .domain = kMicrosoft, .quantized = {"Gemm", quantized_gemm}},
    OperatorRow{.name = "QLinearMatMul", .quantized = {"MatMul", quantized_matmul}},
    OperatorRow{.name = "MatMulInteger", .quantized = {"MatMul", integer_matmul}},
    OperatorRow{.name = "MatMulInteger16", .domain = kMicrosoft, .quantized = {"MatMul", wide_matmul}},
};

}  // namespace

std::span<const OperatorRow> matrix_operators() {
  return kMatrixRows;
}

}  // namespace qsim::onnx_format
