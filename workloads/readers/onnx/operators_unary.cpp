// Functions of one element: a row for every one that the table of functions has an ONNX operator for, and
// Clip.
#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "workloads/ops/unary.h"
#include "workloads/readers/onnx/fold_functions.h"
#include "workloads/readers/onnx/operator_context.h"
#include "workloads/readers/onnx/qdq_groups.h"
#include "workloads/readers/onnx/write_context.h"

namespace qsim::onnx_format {
namespace {

/// Value of "approximate" where an operator has it and does not say.
constexpr const char* kExact = "none";

/// The function that the node names, with its parameters; nothing where its "approximate" is none that there
/// is.
std::optional<UnaryOp> function_of(std::string_view name, const Attributes& attributes) {
  const UnaryRow* row = find_onnx_unary(name);
  if (!row->approximation.empty()) row = find_onnx_unary(name, attributes.text("approximate", kExact));
  if (row == nullptr) return std::nullopt;
  UnaryOp op;
  op.kind = row->kind;
  const std::array<float*, 2> values{&op.alpha, &op.beta};
  for (std::size_t i = 0; i < values.size(); ++i) {
    const UnaryParameter& parameter = row->parameters[i];
    if (!parameter.name.empty())
      *values[i] = attributes.real(std::string(parameter.name), parameter.onnx_default);
  }
  return op;
}

void read_function(OperatorContext& context) {
  context.expect_inputs(1, 1);
  const std::optional<UnaryOp> function = function_of(context.row.name, context.attributes);
  if (!function)
    context.fail("attribute approximate", '"' + context.attributes.text("approximate", kExact) + '"',
                 "none or tanh");
  context.emit(*function, {context.tensor(0, context.order(0))}, context.shape(0), context.order(0));
}

std::optional<OnnxTensor> fold_function(const FoldRequest& request) {
  OnnxTensor result = request.input(0);
  const std::optional<UnaryOp> function = function_of(request.node.op_type, request.attributes);
  if (!function) return std::nullopt;
  if (result.type != OnnxType::float32) return fold_integer_function(request, function->kind);
  std::vector<float> values(static_cast<std::size_t>(result.size()));
  if (values.empty()) return result;
  std::memcpy(values.data(), result.bytes.data(), result.bytes.size());
  unary_row(function->kind).math.apply(*function, values, values);
  std::memcpy(result.bytes.data(), values.data(), result.bytes.size());
  return result;
}

/// Stored integers between stored bounds: real numbers between (bound - zero point) * scale.
void read_integer_clip(OperatorContext& context) {
  const TensorId x = context.tensor(0, context.order(0));
  const std::optional<Quantization> q = context.builder.graph().tensor(x).quantization;
  const auto bound = [&](std::size_t index, const char* what, float open) {
    const std::optional<std::vector<std::int64_t>> given = context.indices(index, what);
    if (!given) return open;
    if (given->size() != 1 || !q)
      context.fail(what, std::to_string(given->size()) + " numbers", "one, of quantized integers");
    return static_cast<float>(given->front() - q->zero_point()) * q->scale();
  };
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const float low = bound(1, "min", -kInfinity);
  context.emit(UnaryOp{UnaryKind::clip, low, bound(2, "max", kInfinity)}, {x}, context.shape(0),
               context.order(0));
}

void read_clip(OperatorContext& context) {
  context.expect_inputs(1, 3);
  if (!context.is_group() && context.info(0).type != OnnxType::float32) return read_integer_clip(context);
  context.attributes.ignore("min");
  context.attributes.ignore("max");
  const std::optional<ClipBounds> bounds = clip_bounds(context.builder, context.node);
  if (!bounds)
    context.fail("bounds", "tensors computed at run time or of several elements", "constant numbers");
  UnaryOp unary{UnaryKind::clip, bounds->low, bounds->high};
  // Bounds that a row of the table stands for.
  const std::optional<Activation> activation = activation_of(unary);
  for (const UnaryRow& row : unary_rows()) {
    if (activation && row.activation != Activation::none && row.activation == *activation) unary = {row.kind};
  }
  context.emit(unary, {context.tensor(0, context.order(0))}, context.shape(0), context.order(0));
}

// ---- writing ----------------------------------------------------------------------------------------------

/// Functions that limit their input to an interval have no operator of their own.
void write_clip(WriteContext& writer, const Node& node, const std::string& x, const std::string& y) {
  const auto& op = std::get<UnaryOp>(node.op);
  const auto finite = [](double bound) {
    return std::isfinite(bound) ? std::optional(static_cast<float>(bound)) : std::nullopt;
  };
  const auto real = unary_row(op.kind).math.real;
  const std::optional<float> low = finite(real(op, -std::numeric_limits<double>::infinity()));
  const std::optional<float> high = finite(real(op, std::numeric_limits<double>::infinity()));
  std::vector<std::string> inputs{x, low ? writer.builder.scalar(node.name + "#low", *low) : ""};
  if (high) inputs.push_back(writer.builder.scalar(node.name + "#high", *high));
  writer.builder.node("Clip", node.name, inputs, y);
}

std::string write_real_function(WriteContext& writer, const Node& node, const RealInput& input_value,
                                const Layout& layout) {
  const auto& op = std::get<UnaryOp>(node.op);
  const UnaryRow& row = unary_row(op.kind);
  const std::string x = input_value(0, layout);
  const std::string y = writer.temporary(node, "#y");
  if (row.onnx_operator.empty()) {
    write_clip(writer, node, x, y);
    return y;
  }
  auto& written = writer.builder.node(std::string(row.onnx_operator), node.name, {x}, y);
  const std::array<float, 2> values{op.alpha, op.beta};
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::string name(row.parameters[i].name);
    if (!name.empty()) set_float(written, name.c_str(), values[i]);
  }
  if (!row.approximation.empty()) set_text(written, "approximate", std::string(row.approximation));
  return y;
}

/// com.microsoft has quantized forms of these.
constexpr std::array kQuantizedForms{std::pair{UnaryKind::leaky_relu, "QLinearLeakyRelu"},
                                     std::pair{UnaryKind::logistic, "QLinearSigmoid"}};

bool write_qlinear_function(WriteContext& writer, const Node& node) {
  const auto& op = std::get<UnaryOp>(node.op);
  const auto* form = std::ranges::find(kQuantizedForms, op.kind, [](const auto& pair) { return pair.first; });
  if (form == kQuantizedForms.end()) return false;
  const Layout layout = writer.natural_layout(node);
  std::vector<std::string> inputs =
      writer.quantized_operand(node.inputs[0], writer.values.get(node.inputs[0], layout));
  append(inputs, {writer.values.scale(node.outputs[0]), writer.values.zero_point(node.outputs[0])});
  const std::string y = writer.begin_output(node, layout);
  auto& written = writer.builder.node(form->second, node.name, inputs, y, kMicrosoft);
  if (!unary_row(op.kind).parameters[0].name.empty()) set_float(written, "alpha", op.alpha);
  writer.finish_output(node, y);
  return true;
}

std::vector<OperatorRow> make_rows() {
  std::vector<OperatorRow> rows{OperatorRow{.name = "Clip",
                                            .read = read_clip,
                                            .integers = IntegerUse::takes,
                                            .dimensions = DimensionUse::any,
                                            .group = GroupRule{},
                                            .first_constant = 1,
                                            .write = {.operation = operation_index<UnaryOp>(),
                                                      .quantized = write_qlinear_function,
                                                      .real = write_real_function}}};
  for (const UnaryRow& function : unary_rows()) {
    const bool is_first = find_onnx_unary(function.onnx_operator) == &function;
    if (!is_first) continue;
    OperatorRow row{.name = function.onnx_operator,
                    .read = read_function,
                    .fold = fold_function,
                    .dimensions = DimensionUse::any};
    if (function.onnx != nullptr) row.group = GroupRule{};
    rows.push_back(row);
    if (function.approximation.empty()) continue;
    // Functions with an approximation stood in com.microsoft before ONNX had them.
    row.domain = kMicrosoft;
    row.group.reset();
    rows.push_back(row);
  }
  for (const auto& [kind, name] : kQuantizedForms) {
    rows.push_back(
        {.name = name, .domain = kMicrosoft, .quantized = {unary_row(kind).onnx_operator, scaled_operand}});
  }
  return rows;
}

}  // namespace

std::span<const OperatorRow> unary_operators() {
  static const std::vector<OperatorRow> kUnaryRows = make_rows();
  return kUnaryRows;
}

}  // namespace qsim::onnx_format
