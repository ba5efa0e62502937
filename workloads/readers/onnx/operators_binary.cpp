// Arithmetic element by element on two operands.
#include <algorithm>
#include <array>

#include "workloads/readers/onnx/broadcasting.h"
#include "workloads/readers/onnx/fold_functions.h"
#include "workloads/readers/onnx/operator_context.h"
#include "workloads/readers/onnx/write_context.h"

namespace qsim::onnx_format {
namespace {

/// ONNX Runtime's loops take the operands of QLinearAdd in the other order where the first has one element
/// along the innermost dimension that is more than 1 in one of them: its sums of rounded products then round
/// differently.
bool repeats_first(const Shape& a, const Shape& b) {
  const std::size_t common = std::min(a.size(), b.size());
  for (std::size_t i = 1; i <= common; ++i) {
    const std::int64_t own = a[a.size() - i];
    const std::int64_t other = b[b.size() - i];
    if (own > 1 || other > 1 || i == common) return own == 1;
  }
  return a.empty() || a.back() == 1;
}

void read_binary(OperatorContext& context, BinaryKind kind) {
  context.expect_inputs(2, 2);
  context.attributes.ignore("axis");
  context.attributes.ignore("broadcast");
  const std::optional<Shape> y = broadcast_shape(context.shape(0), context.shape(1));
  if (!y) {
    context.fail("operands", "shapes " + to_string(context.shape(0)) + " and " + to_string(context.shape(1)),
                 "equal dimensions, or 1 where one of them is repeated");
  }
  const DimensionOrder order = common_order(context, y->size());
  const bool turned =
      kind == BinaryKind::add && !context.is_float() && repeats_first(context.shape(0), context.shape(1));
  const TensorId first = broadcast_operand(context, turned ? 1 : 0, order);
  context.emit(BinaryOp{kind, context.activation}, {first, broadcast_operand(context, turned ? 0 : 1, order)},
               *y, order);
}

template <BinaryKind kKind>
void read_binary(OperatorContext& context) {
  read_binary(context, kKind);
}

void read_prelu(OperatorContext& context) {
  context.expect_inputs(2, 2);
  if (!context.is_constant(1)) context.fail("slope", "a tensor computed at run time", "a constant");
  const auto y = broadcast_shape(context.shape(0), context.shape(1));
  if (!y || *y != context.shape(0))
    context.fail("slope", "shape " + to_string(context.shape(1)),
                 "one that broadcasts to " + to_string(context.shape(0)));
  const TensorId x = context.tensor(0, context.order(0));
  context.emit(PReluOp{}, {x, broadcast_operand(context, 1, context.order(0))}, context.shape(0),
               context.order(0));
}

std::optional<QuantizedOperator> quantized_pair(const OnnxNode& node) {
  return scaled_operands(node, 2, 0, 6);
}

constexpr GroupRule kArithmeticGroup{.data_inputs = 2, .takes_activation = true};

// ---- writing ----------------------------------------------------------------------------------------------

const char* binary_name(BinaryKind kind) {
  constexpr std::array kNames{"Add", "Sub", "Mul", "Div", "Min", "Max", "Pow"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::string write_real_binary(WriteContext& writer, const Node& node, const RealInput& input_value,
                              const Layout& layout) {
  const auto& op = std::get<BinaryOp>(node.op);
  const std::string y = writer.temporary(node, "#y");
  writer.builder.node(binary_name(op.kind), node.name, {input_value(0, layout), input_value(1, layout)}, y);
  return writer.activated(node, op.activation, y);
}

bool write_qlinear_binary(WriteContext& writer, const Node& node) {
  const auto& op = std::get<BinaryOp>(node.op);
  if (op.kind != BinaryKind::add && op.kind != BinaryKind::mul) return false;
  const Layout layout = writer.natural_layout(node);
  std::vector<std::string> inputs;
  for (const TensorId id : node.inputs)
    append(inputs, writer.quantized_operand(id, writer.values.get_broadcast(id, layout)));
  append(inputs, {writer.values.scale(node.outputs[0]), writer.values.zero_point(node.outputs[0])});
  const std::string y = writer.begin_output(node, layout);
  writer.builder.node(op.kind == BinaryKind::add ? "QLinearAdd" : "QLinearMul", node.name, inputs, y,
                      kMicrosoft);
  writer.finish_output(node, y);
  return true;
}

std::string write_real_prelu(WriteContext& writer, const Node& node, const RealInput& input_value,
                             const Layout& layout) {
  const std::string y = writer.temporary(node, "#y");
  writer.builder.node("PRelu", node.name, {input_value(0, layout), input_value(1, layout)}, y);
  return y;
}

constexpr std::array kBinaryRows{
    OperatorRow{.name = "Add",
                .read = read_binary<BinaryKind::add>,
                .fold = fold_binary<FoldedBinary::add>,
                .dimensions = DimensionUse::any,
                .group = kArithmeticGroup,
                .write = {.operation = operation_index<BinaryOp>(),
                          .quantized = write_qlinear_binary,
                          .real = write_real_binary}},
    OperatorRow{.name = "Sub",
                .read = read_binary<BinaryKind::sub>,
                .fold = fold_binary<FoldedBinary::sub>,
                .dimensions = DimensionUse::any,
                .group = kArithmeticGroup},
    OperatorRow{.name = "Mul",
                .read = read_binary<BinaryKind::mul>,
                .fold = fold_binary<FoldedBinary::mul>,
                .dimensions = DimensionUse::any,
                .group = kArithmeticGroup},
    OperatorRow{.name = "Div",
                .read = read_binary<BinaryKind::div>,
                .fold = fold_binary<FoldedBinary::div>,
                .dimensions = DimensionUse::any},
    OperatorRow{.name = "Min",
                .read = read_binary<BinaryKind::min>,
                .fold = fold_binary<FoldedBinary::min>,
                .dimensions = DimensionUse::any,
                .group = GroupRule{.data_inputs = 2}},
    OperatorRow{.name = "Max",
                .read = read_binary<BinaryKind::max>,
                .fold = fold_binary<FoldedBinary::max>,
                .dimensions = DimensionUse::any,
                .group = GroupRule{.data_inputs = 2}},
    OperatorRow{.name = "Pow",
                .read = read_binary<BinaryKind::pow>,
                .fold = fold_binary<FoldedBinary::pow>,
                .dimensions = DimensionUse::any},
    OperatorRow{.name = "Mod", .fold = fold_binary<FoldedBinary::mod>},
    OperatorRow{.name = "PRelu",
                .read = read_prelu,
                .dimensions = DimensionUse::any,
                .group = GroupRule{.data_inputs = 2},
                .first_constant = 1,
                .write = {.operation = operation_index<PReluOp>(), .real = write_real_prelu}},
    OperatorRow{.name = "QLinearAdd", .domain = kMicrosoft, .quantized = {"Add", quantized_pair}},
    OperatorRow{.name = "QLinearMul", .domain = kMicrosoft, .quantized = {"Mul", quantized_pair}},
};

}  // namespace

std::span<const OperatorRow> binary_operators() {
  return kBinaryRows;
}

}  // namespace qsim::onnx_format
