// Padding, with a value or with the image's own elements.
#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <string_view>

#include "workloads/readers/onnx/operator_context.h"
#include "workloads/readers/onnx/write_context.h"

namespace qsim::onnx_format {
namespace {

/// Most copies of one row or column in front of it or behind.
constexpr std::int64_t kMostCopies = 500;

/// What lies `before` and `after` a dimension is a slice of it: mirrored without the edge itself (reflect),
/// the edge again and again (edge), or the other end (wrap).
std::vector<TensorId> border(OperatorContext& context, TensorId input, std::size_t axis, std::int64_t count,
                             bool is_before, const std::string& mode) {
  const Shape shape = context.builder.graph().tensor(input).shape;
  const std::int64_t size = shape[axis];
  if (count == 0) return {};
  const std::int64_t most = mode == "reflect" ? size - 1 : mode == "wrap" ? size : kMostCopies;
  if (count > most)
    context.fail("pads", std::to_string(count) + " at a dimension of " + std::to_string(size),
                 "at most " + std::to_string(most));
  StridedSliceOp slice{std::vector<std::int64_t>(shape.size(), 0), std::vector<std::int64_t>(shape.size(), 1),
                       shape};
  std::int64_t copies = 1;
  slice.count[axis] = count;
  if (mode == "reflect") {
    slice.begin[axis] = is_before ? count : size - 2;
    slice.stride[axis] = count > 1 ? -1 : 1;
  } else if (mode == "wrap") {
    slice.begin[axis] = is_before ? size - count : 0;
  } else {
    slice.begin[axis] = is_before ? 0 : size - 1;
    slice.count[axis] = 1;
    copies = count;
  }
  const Shape part = slice.count;
  const TensorId id = context.add_step(is_before ? "before" : "after", std::move(slice), {input}, part);
  std::vector<TensorId> parts(static_cast<std::size_t>(copies), id);
  return parts;
}

/// One dimension after the other.
void read_pad_with_elements(OperatorContext& context, const PadOp& pad, const Shape& shape,
                            const DimensionOrder& from, const std::string& mode) {
  TensorId last = context.tensor(0, from);
  for (std::size_t axis = 0; axis < from.rank; ++axis) {
    if (pad.before[axis] == 0 && pad.after[axis] == 0) continue;
    std::vector<TensorId> parts = border(context, last, axis, pad.before[axis], true, mode);
    parts.push_back(last);
    const std::vector<TensorId> behind = border(context, last, axis, pad.after[axis], false, mode);
    parts.insert(parts.end(), behind.begin(), behind.end());
    Shape padded = context.builder.graph().tensor(last).shape;
    padded[axis] += pad.before[axis] + pad.after[axis];
    last = context.add_step("padded", ConcatOp{static_cast<int>(axis)}, std::move(parts), padded);
  }
  context.emit_move(ReshapeOp{}, {last}, shape, from);
}

/// Stored integers where the operator is one of integers, real numbers quantized where a group encloses it.
void set_pad_value(OperatorContext& context, PadOp& pad) {
  float real = context.attributes.real("value", 0.0F);
  if (context.has(2)) {
    const OnnxTensor* value = context.builder.constant(context.operand(2).value);
    if (value == nullptr || value->size() != 1)
      context.fail("value \"" + context.operand(2).value + "\"",
                   "a tensor computed at run time or of several elements", "one constant");
    if (value->is_integer() && !value->is_real()) {
      pad.value = value->integer(0);
      return;
    }
    real = static_cast<float>(value->real(0));
  }
  pad.real_value = real;
  const std::optional<Quantization>& q = context.operand(0).quantization;
  if (!q || context.is_float()) return;
  const bool is_group = !context.absorbed.empty();
  if (!is_group) {
    pad.value = 0;  // The default is a stored zero.
    return;
  }
  const float stored = std::nearbyint(real / q->scale()) + static_cast<float>(q->zero_point());
  const float low = static_cast<float>(q->format().min());
  const float high = static_cast<float>(q->format().max());
  pad.value = static_cast<std::int64_t>(std::clamp(stored, low, high));
}

void read_pad(OperatorContext& context) {
  context.expect_inputs(1, 4);
  const Shape& x = context.shape(0);
  const std::string mode = context.attributes.text("mode", "constant");
  constexpr std::array<std::string_view, 4> kModes{"constant", "reflect", "edge", "wrap"};
  if (std::ranges::find(kModes, mode) == kModes.end())
    context.fail("attribute mode", '"' + mode + '"', "constant, reflect, edge or wrap");
  const std::optional<std::vector<std::int64_t>> pads = context.list(1, "pads");
  if (!pads) context.fail("pads", "none", "a list of sizes");
  std::vector<std::int64_t> axes(x.size());
  std::iota(axes.begin(), axes.end(), 0);
  axes = context.indices(3, "axes").value_or(axes);
  if (pads->size() != 2 * axes.size())
    context.fail("pads", std::to_string(pads->size()) + " sizes",
                 std::to_string(2 * axes.size()) + ", two a dimension");
  const DimensionOrder from = context.order(0);
  PadOp pad;
  pad.before.assign(from.rank, 0);
  pad.after.assign(from.rank, 0);
  Shape y = x;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const auto d = static_cast<std::size_t>(context.wrapped_axis(axes[i], x.size(), "axes"));
    const std::int64_t before = (*pads)[i];
    const std::int64_t after = (*pads)[i + axes.size()];
    constexpr std::int64_t kLimit = 1 << 30;
    if (before < 0 || after < 0 || before > kLimit || after > kLimit)
      context.fail("pads", to_string(*pads), "sizes of 0 or more",
                   "slice instead of padding by a negative size");
    pad.before[static_cast<std::size_t>(from.axes[d])] = before;
    pad.after[static_cast<std::size_t>(from.axes[d])] = after;
    y[d] += before + after;
  }
  if (mode != "constant") return read_pad_with_elements(context, pad, y, from, mode);
  set_pad_value(context, pad);
  context.emit_move(std::move(pad), {context.tensor(0, from)}, y, from);
}

// ---- writing ----------------------------------------------------------------------------------------------

std::string pads_in(WriteContext& writer, const Node& node, const Layout& layout) {
  const auto& op = std::get<PadOp>(node.op);
  std::vector<std::int64_t> pads;
  for (const auto* side : {&op.before, &op.after}) {
    for (const int axis : layout) pads.push_back((*side)[static_cast<std::size_t>(axis)]);
  }
  return writer.builder.integers(node.name + "#pads", pads);
}

bool write_pad(WriteContext& writer, const Node& node) {
  const auto& op = std::get<PadOp>(node.op);
  // Pad takes no 16-bit integers.
  if (!writer.output(node).is_float() && !is_byte(writer.output(node))) return false;
  const Layout layout = writer.natural_layout(node);
  TensorData value(writer.output(node).type, {});
  if (writer.output(node).is_float()) {
    value.as<float>()[0] = op.real_value;
  } else {
    value.set(0, op.value);
  }
  writer.builder.node("Pad", node.name,
                      {writer.values.get(node.inputs[0], layout), pads_in(writer, node, layout),
                       writer.builder.constant(node.name + "#value", value)},
                      writer.values.define(node.outputs[0], layout));
  return true;
}

/// Of integers that no operator pads.
std::string write_real_pad(WriteContext& writer, const Node& node, const RealInput& input_value,
                           const Layout& layout) {
  const auto& op = std::get<PadOp>(node.op);
  const Quantization& q = *writer.output(node).quantization;
  const float value = static_cast<float>(op.value - q.zero_point()) * q.scale();
  const std::string y = writer.temporary(node, "#y");
  writer.builder.node("Pad", node.name,
                      {input_value(0, layout), pads_in(writer, node, layout),
                       writer.builder.scalar(node.name + "#value", value)},
                      y);
  return y;
}

constexpr std::array kPadRows{
    OperatorRow{
        .name = "Pad",
        .read = read_pad,
        .integers = IntegerUse::moves,
        .dimensions = DimensionUse::any,
        .group = GroupRule{},
        .first_constant = 1,
        .write = {.operation = operation_index<PadOp>(), .movement = write_pad, .real = write_real_pad}},
};

}  // namespace

std::span<const OperatorRow> pad_operators() {
  return kPadRows;
}

}  // namespace qsim::onnx_format
