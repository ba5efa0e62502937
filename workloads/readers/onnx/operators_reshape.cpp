// Operators that give elements another shape, order of dimensions or name.
#include <algorithm>
#include <array>
#include <numeric>

#include "workloads/readers/onnx/fold_functions.h"
#include "workloads/readers/onnx/operator_context.h"
#include "workloads/readers/onnx/write_context.h"

namespace qsim::onnx_format {
namespace {

/// Elements stay in the model's order, which is plain on both sides.
void reshape_to(OperatorContext& context, const std::optional<Shape>& target, const std::string& what) {
  const Shape x = context.shape(0);
  if (!target || element_count(*target) != element_count(x))
    context.fail(what, target ? to_string(*target) : "one that does not fit",
                 "one that fits the input of shape " + to_string(x));
  const DimensionOrder from = DimensionOrder::plain(x.size());
  const DimensionOrder to = DimensionOrder::plain(target->size());
  // Where the order of the elements is plain already, whatever the dimensions are called, nothing has to
  // move.
  const TensorId input = same_element_order(x, context.order(0), from) ? context.tensor(0, context.order(0))
                                                                       : context.tensor(0, from);
  context.emit_move(ReshapeOp{}, {input}, *target, to);
}

void read_reshape(OperatorContext& context) {
  context.expect_inputs(2, 2);
  const bool allow_zero = context.attributes.flag("allowzero", false);
  reshape_to(context, reshaped(context.shape(0), *context.indices(1, "shape"), allow_zero), "shape");
}

void read_flatten(OperatorContext& context) {
  context.expect_inputs(1, 1);
  const Shape& x = context.shape(0);
  std::int64_t axis = context.attributes.integer("axis", 1);
  if (axis != static_cast<std::int64_t>(x.size()))
    axis = context.wrapped_axis(axis, x.size(), "attribute axis");
  const auto middle = x.begin() + axis;
  reshape_to(context, Shape{element_count(Shape(x.begin(), middle)), element_count(Shape(middle, x.end()))},
             "axis");
}

void read_squeeze(OperatorContext& context) {
  context.expect_inputs(1, 2);
  reshape_to(context, squeezed(context.shape(0), context.list(1, "axes")), "axes");
}

void read_unsqueeze(OperatorContext& context) {
  context.expect_inputs(1, 2);
  const auto axes = context.list(1, "axes");
  if (!axes) context.fail("axes", "none", "a list of dimensions");
  reshape_to(context, unsqueezed(context.shape(0), *axes), "axes");
}

/// The model's output dimension i is its input dimension perm[i]. On the chip elements move from the order
/// that the input has to the one that users of the output want; often that is none at all.
void read_transpose(OperatorContext& context) {
  context.expect_inputs(1, 1);
  const Shape& x = context.shape(0);
  std::vector<std::int64_t> permutation(x.size());
  std::iota(permutation.rbegin(), permutation.rend(), 0);
  permutation = context.attributes.integers("perm").value_or(permutation);
  std::vector<std::int64_t> sorted = permutation;
  std::sort(sorted.begin(), sorted.end());
  std::vector<std::int64_t> all(x.size());
  std::iota(all.begin(), all.end(), 0);
  if (sorted != all)
    context.fail("attribute perm", to_string(permutation),
                 "each of the " + std::to_string(x.size()) + " dimensions once");
  DimensionOrder from = context.order(0);
  if (from.rank != x.size()) from = DimensionOrder::plain(x.size());
  Shape y;
  DimensionOrder same{{}, from.rank};  // The output's dimensions where the input's lie.
  for (const std::int64_t d : permutation) {
    y.push_back(x[static_cast<std::size_t>(d)]);
    same.axes.push_back(from.axes[static_cast<std::size_t>(d)]);
  }
  const bool channels_last = context.builder.wants_channels_last(context.results.front().value);
  DimensionOrder to =
      channels_last ? DimensionOrder::channels_last(y.size()) : DimensionOrder::plain(y.size());
  if (to.rank != y.size()) to = DimensionOrder::plain(y.size());
  if (same_element_order(y, same, to))
    return context.emit_move(ReshapeOp{}, {context.tensor(0, from)}, y, to);
  TransposeOp transpose;
  for (const int d : to.model_dimensions())
    transpose.permutation.push_back(same.axes[static_cast<std::size_t>(d)]);
  context.emit_move(std::move(transpose), {context.tensor(0, from)}, y, to);
}

/// A value under another name; a node of the graph only where that name is an output's.
void read_identity(OperatorContext& context) {
  context.expect_inputs(1, context.row.first_constant == kNoConstants ? 1 : 3);
  context.attributes.ignore("ratio");
  context.attributes.ignore("seed");
  if (context.has(2)) {
    const OnnxTensor* training = context.builder.constant(context.operand(2).value);
    if (training == nullptr || training->size() != 1 || training->real(0) != 0.0)
      context.fail("training_mode", "true or computed at run time", "false",
                   "export the model for inference");
  }
  const std::string& output = context.node.outputs.front();
  if (context.builder.model().is_output(output))
    return context.emit(ReshapeOp{}, {context.tensor(0, context.order(0))}, context.shape(0),
                        context.order(0));
  context.builder.add_alias(output, context.operand(0).value);
}

/// To the type that the value has already, or stored integers as floats.
void read_cast(OperatorContext& context) {
  context.attributes.ignore("saturate");
  const auto type = static_cast<OnnxType>(context.attributes.required_integer("to"));
  const OnnxType from = context.info(0).type;
  if (type == from) return read_identity(context);
  context.expect_inputs(1, 1);
  const int bits = onnx_integer_bits(from);
  if (type != OnnxType::float32 || bits == 0 || bits > 32) {
    context.fail("attribute to", onnx_type_name(type), onnx_type_name(from) + ", as the input has, or FLOAT",
                 "QuantizeLinear makes integers of floats");
  }
  context.operands.front().quantization = Quantization{bits, onnx_is_signed(from), {1.0F}, {0}, -1, 0};
  context.results.front().type = OnnxType::float32;
  context.results.front().quantization.reset();
  context.emit(DequantizeOp{}, {context.tensor(0, context.order(0))}, context.shape(0), context.order(0));
}

// ---- writing ----------------------------------------------------------------------------------------------

bool write_reshape(WriteContext& writer, const Node& node) {
  const std::string x = writer.values.get(node.inputs[0], graph_order(writer.input(node, 0).shape.size()));
  writer.builder.node("Reshape", node.name,
                      {x, writer.builder.integers(node.name + "#output_shape", writer.output(node).shape)},
                      writer.values.define(node.outputs[0], graph_order(writer.output(node).shape.size())));
  return true;
}

/// From whatever layout the input has to the graph's order of the output.
bool write_transpose(WriteContext& writer, const Node& node) {
  const auto& op = std::get<TransposeOp>(node.op);
  const TensorId id = node.inputs[0];
  const std::size_t rank = op.permutation.size();
  Layout from = writer.values.defined_layout(id);
  if (from.size() != rank) from = graph_order(rank);
  std::vector<std::int64_t> permutation;
  for (const int axis : op.permutation) permutation.push_back(position_of(from, axis));
  const std::string x = writer.values.get(id, from);
  set_ints(writer.builder.node("Transpose", node.name, {x},
                               writer.values.define(node.outputs[0], graph_order(rank))),
           "perm", permutation);
  return true;
}

constexpr std::array kReshapeRows{
    OperatorRow{.name = "Reshape",
                .read = read_reshape,
                .fold = fold_reshape,
                .integers = IntegerUse::moves,
                .group = GroupRule{},
                .first_constant = 1,
                .write = {.operation = operation_index<ReshapeOp>(), .movement = write_reshape}},
    OperatorRow{.name = "Flatten",
                .read = read_flatten,
                .fold = fold_flatten,
                .integers = IntegerUse::moves,
                .group = GroupRule{}},
    OperatorRow{.name = "Squeeze",
                .read = read_squeeze,
                .fold = fold_squeeze,
                .integers = IntegerUse::moves,
                .group = GroupRule{},
                .first_constant = 1},
    OperatorRow{.name = "Unsqueeze",
                .read = read_unsqueeze,
                .fold = fold_unsqueeze,
                .integers = IntegerUse::moves,
                .group = GroupRule{},
                .first_constant = 1},
    // Moves elements anyway, whatever order they come in.
    OperatorRow{.name = "Transpose",
                .read = read_transpose,
                .fold = fold_transpose,
                .integers = IntegerUse::moves,
                .group = GroupRule{},
                .write = {.operation = operation_index<TransposeOp>(), .movement = write_transpose}},
    OperatorRow{.name = "Identity",
                .read = read_identity,
                .fold = fold_identity,
                .integers = IntegerUse::moves,
                .dimensions = DimensionUse::any},
    OperatorRow{.name = "Dropout",
                .read = read_identity,
                .integers = IntegerUse::moves,
                .dimensions = DimensionUse::any,
                .first_constant = 1},
    OperatorRow{.name = "Cast",
                .read = read_cast,
                .fold = fold_cast,
                .integers = IntegerUse::takes,
                .dimensions = DimensionUse::any},
    OperatorRow{.name = "Expand", .fold = fold_expand, .first_constant = 1},
};

}  // namespace

std::span<const OperatorRow> reshape_operators() {
  return kReshapeRows;
}

}  // namespace qsim::onnx_format
