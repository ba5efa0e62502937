// Operators that take tensors apart and join them.
#include <algorithm>
#include <array>
#include <numeric>

#include "workloads/readers/onnx/broadcasting.h"
#include "workloads/readers/onnx/fold_functions.h"
#include "workloads/readers/onnx/operator_context.h"
#include "workloads/readers/onnx/write_context.h"

namespace qsim::onnx_format {
namespace {

void read_concat(OperatorContext& context) {
  context.expect_inputs(1, 1024);
  const Shape& first = context.shape(0);
  const auto axis = static_cast<std::size_t>(
      context.wrapped_axis(context.attributes.required_integer("axis"), first.size(), "attribute axis"));
  Shape y = first;
  y[axis] = 0;
  for (std::size_t i = 0; i < context.operands.size(); ++i) {
    if (!context.has(i)) context.fail("input " + std::to_string(i), "none", "a tensor");
    Shape rest = context.shape(i);
    if (rest.size() == y.size()) {
      y[axis] += rest[axis];
      rest[axis] = first[axis];
    }
    if (rest != first) {
      context.fail("input \"" + context.operand(i).value + "\"", "shape " + to_string(context.shape(i)),
                   "the first input's " + to_string(first) + " but for axis " + std::to_string(axis));
    }
  }
  // Constants beside integers have the scale of the activations.
  std::optional<Quantization> scale;
  for (std::size_t i = 0; i < context.operands.size(); ++i) {
    if (!scale && !context.is_constant(i)) scale = context.operands[i].quantization;
  }
  for (Operand& operand : context.operands) {
    if (!operand.quantization) operand.quantization = scale;
  }
  if (!context.results.front().quantization) context.results.front().quantization = scale;
  const DimensionOrder order = common_order(context, y.size());
  std::vector<TensorId> inputs;
  for (std::size_t i = 0; i < context.operands.size(); ++i) inputs.push_back(context.tensor(i, order));
  context.emit(ConcatOp{order.axes[axis]}, std::move(inputs), y, order);
}

void slice_to(OperatorContext& context, const std::vector<SliceRange>& ranges, std::size_t result,
              const std::optional<Shape>& dropped) {
  const DimensionOrder from = context.order(0);
  StridedSliceOp slice;
  slice.begin.assign(from.rank, 0);
  slice.stride.assign(from.rank, 1);
  slice.count.assign(from.rank, 1);
  Shape y;
  for (std::size_t d = 0; d < ranges.size(); ++d) {
    const auto to = static_cast<std::size_t>(from.axes[d]);
    slice.begin[to] = ranges[d].begin;
    slice.stride[to] = ranges[d].count > 1 ? ranges[d].step : 1;
    slice.count[to] = ranges[d].count;
    if (ranges[d].count < 1)
      context.fail("slice of dimension " + std::to_string(d), "no elements", "at least one");
    y.push_back(ranges[d].count);
  }
  // A dimension that is dropped leaves its place empty.
  DimensionOrder to = from;
  if (dropped) {
    to = DimensionOrder{{}, from.rank};
    for (std::size_t d = 0; d < dropped->size(); ++d) {
      if ((*dropped)[d] == 0) to.axes.push_back(from.axes[d]);
    }
    Shape kept;
    for (std::size_t d = 0; d < dropped->size(); ++d) {
      if ((*dropped)[d] == 0) kept.push_back(y[d]);
    }
    y = kept;
  }
  context.emit_move(std::move(slice), {context.tensor(0, from)}, y, to, result);
}

void read_slice(OperatorContext& context) {
  context.expect_inputs(3, 5);
  const Shape& x = context.shape(0);
  const std::vector<std::int64_t> begins = *context.indices(1, "starts");
  const std::vector<std::int64_t> ends = *context.indices(2, "ends");
  std::vector<std::int64_t> axes(begins.size());
  std::iota(axes.begin(), axes.end(), 0);
  axes = context.indices(3, "axes").value_or(axes);
  const std::vector<std::int64_t> steps =
      context.indices(4, "steps").value_or(std::vector<std::int64_t>(begins.size(), 1));
  if (ends.size() != begins.size() || axes.size() != begins.size() || steps.size() != begins.size())
    context.fail("starts, ends, axes and steps", "lists of different lengths", "lists of one length");
  std::vector<SliceRange> ranges;
  for (const std::int64_t size : x) ranges.push_back({0, 1, size});
  for (std::size_t i = 0; i < begins.size(); ++i) {
    const auto d = static_cast<std::size_t>(context.wrapped_axis(axes[i], x.size(), "axes"));
    if (steps[i] == 0) context.fail("steps", "0", "a step that moves");
    ranges[d] = slice_range(begins[i], ends[i], steps[i], x[d]);
  }
  slice_to(context, ranges, 0, std::nullopt);
}

/// One slice an output; node NAME makes the first, NAME#2 the second.
void read_split(OperatorContext& context) {
  context.expect_inputs(1, 2);
  const Shape x = context.shape(0);
  const auto axis = static_cast<std::size_t>(
      context.wrapped_axis(context.attributes.integer("axis", 0), x.size(), "attribute axis"));
  std::optional<std::vector<std::int64_t>> sizes = context.list(1, "split");
  const auto count = static_cast<std::int64_t>(context.node.outputs.size());
  if (context.attributes.integer("num_outputs", count) != count)
    context.fail("attribute num_outputs", std::to_string(context.attributes.integer("num_outputs", 0)),
                 std::to_string(count));
  if (!sizes) {
    const std::int64_t piece = (x[axis] + count - 1) / count;
    sizes.emplace();
    for (std::int64_t i = 0; i < count; ++i) sizes->push_back(std::min(piece, x[axis] - i * piece));
  }
  const std::int64_t total = std::accumulate(sizes->begin(), sizes->end(), std::int64_t{0});
  const bool positive =
      std::all_of(sizes->begin(), sizes->end(), [&](auto s) { return s >= 1 && s <= x[axis]; });
  if (static_cast<std::int64_t>(sizes->size()) != count || total != x[axis] || !positive)
    context.fail("split", to_string(*sizes),
                 std::to_string(count) + " sizes that sum to " + std::to_string(x[axis]));
  std::int64_t begin = 0;
  for (std::size_t i = 0; i < sizes->size(); ++i) {
    std::vector<SliceRange> ranges;
    for (const std::int64_t size : x) ranges.push_back({0, 1, size});
    ranges[axis] = {begin, 1, (*sizes)[i]};
    begin += (*sizes)[i];
    if (!context.results[i].value.empty()) slice_to(context, ranges, i, std::nullopt);
  }
}

/// With one index: a slice whose dimension is dropped where the index is a scalar. With several that follow
/// each other evenly: a slice.
void read_gather(OperatorContext& context) {
  context.expect_inputs(2, 2);
  const Shape& x = context.shape(0);
  const auto axis = static_cast<std::size_t>(
      context.wrapped_axis(context.attributes.integer("axis", 0), x.size(), "attribute axis"));
  std::vector<std::int64_t> chosen = *context.indices(1, "indices");
  const Shape& index_shape = context.shape(1);
  for (std::int64_t& index : chosen) {
    if (index < -x[axis] || index >= x[axis])
      context.fail("indices", std::to_string(index),
                   "an index of dimension " + std::to_string(axis) + " of " + to_string(x));
    index = index < 0 ? index + x[axis] : index;
  }
  const std::int64_t step = chosen.size() > 1 ? chosen[1] - chosen[0] : 1;
  bool is_even = !chosen.empty() && step != 0 && index_shape.size() <= 1;
  for (std::size_t i = 2; i < chosen.size(); ++i) is_even = is_even && chosen[i] - chosen[i - 1] == step;
  if (!is_even) {
    context.fail("indices", "indices that do not follow each other evenly", "one index, or an even sequence",
                 "gathering by a table does not run on this chip");
  }
  std::vector<SliceRange> ranges;
  for (const std::int64_t size : x) ranges.push_back({0, 1, size});
  ranges[axis] = {chosen[0], step, static_cast<std::int64_t>(chosen.size())};
  Shape dropped(x.size(), 0);
  dropped[axis] = 1;
  slice_to(context, ranges, 0, index_shape.empty() ? std::optional(dropped) : std::nullopt);
}

/// Scale and zero point of the output, then value, scale and zero point of each operand.
std::optional<QuantizedOperator> quantized_concat(const OnnxNode& node) {
  if (node.inputs.size() < 5 || node.inputs.size() % 3 != 2) return std::nullopt;
  QuantizedOperator op{{}, {}, 0, 1};
  for (std::size_t i = 2; i + 2 < node.inputs.size(); i += 3) op.operands.push_back({i, i + 1, i + 2});
  return op;
}

// ---- writing ----------------------------------------------------------------------------------------------

/// Indices begin, begin + stride, ..: the end is one stride behind the last, far below 0 for a negative
/// stride that reaches the first element.
bool write_slice(WriteContext& writer, const Node& node) {
  const auto& op = std::get<StridedSliceOp>(node.op);
  const std::size_t rank = op.begin.size();
  const bool keeps_rank = writer.output(node).shape == op.count;
  const Layout layout = keeps_rank ? writer.natural_layout(node) : graph_order(rank);
  std::vector<std::int64_t> starts, ends, axes, steps;
  for (std::size_t i = 0; i < rank; ++i) {
    const auto axis = static_cast<std::size_t>(layout[i]);
    const std::int64_t end = op.begin[axis] + op.stride[axis] * op.count[axis];
    starts.push_back(op.begin[axis]);
    ends.push_back(end < 0 ? std::numeric_limits<std::int64_t>::min() + 1 : end);
    axes.push_back(static_cast<std::int64_t>(i));
    steps.push_back(op.stride[axis]);
  }
  const std::string x = writer.values.get(node.inputs[0], layout);
  const std::string sliced =
      keeps_rank ? writer.values.define(node.outputs[0], layout) : writer.temporary(node, "#sliced");
  writer.builder.node("Slice", node.name,
                      {x, writer.builder.integers(node.name + "#starts", starts),
                       writer.builder.integers(node.name + "#ends", ends),
                       writer.builder.integers(node.name + "#slice_axes", axes),
                       writer.builder.integers(node.name + "#steps", steps)},
                      sliced);
  if (keeps_rank) return true;
  writer.builder.node(
      "Reshape", node.name + "#reshape",
      {sliced, writer.builder.integers(node.name + "#output_shape", writer.output(node).shape)},
      writer.values.define(node.outputs[0], graph_order(writer.output(node).shape.size())));
  return true;
}

/// Of tensors that have the output's scale, and of floats.
bool write_concat(WriteContext& writer, const Node& node) {
  const auto& op = std::get<ConcatOp>(node.op);
  const bool copies = std::all_of(node.inputs.begin(), node.inputs.end(), [&](TensorId id) {
    return same_stored_quantization(writer.graph.tensor(id), writer.output(node));
  });
  const bool whatever_the_scales =
      writer.graph.semantics == Semantics::tflite && !is_byte(writer.output(node));
  if (!copies && !whatever_the_scales) return false;
  const Layout layout = writer.natural_layout(node);
  std::vector<std::string> inputs;
  for (const TensorId id : node.inputs) inputs.push_back(writer.values.get(id, layout));
  set_int(writer.builder.node("Concat", node.name, inputs, writer.values.define(node.outputs[0], layout)),
          "axis", position_of(layout, op.axis));
  return true;
}

bool write_qlinear_concat(WriteContext& writer, const Node& node) {
  const auto& op = std::get<ConcatOp>(node.op);
  const Layout layout = writer.natural_layout(node);
  std::vector<std::string> inputs{writer.values.scale(node.outputs[0]),
                                  writer.values.zero_point(node.outputs[0])};
  for (const TensorId id : node.inputs)
    append(inputs, writer.quantized_operand(id, writer.values.get(id, layout)));
  const std::string y = writer.begin_output(node, layout);
  set_int(writer.builder.node("QLinearConcat", node.name, inputs, y, kMicrosoft), "axis",
          position_of(layout, op.axis));
  writer.finish_output(node, y);
  return true;
}

std::string write_real_concat(WriteContext& writer, const Node& node, const RealInput& input_value,
                              const Layout& layout) {
  std::vector<std::string> inputs;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) inputs.push_back(input_value(i, layout));
  const std::string y = writer.temporary(node, "#y");
  set_int(writer.builder.node("Concat", node.name, inputs, y), "axis",
          position_of(layout, std::get<ConcatOp>(node.op).axis));
  return y;
}

constexpr std::array kPartRows{
    OperatorRow{.name = "Concat",
                .read = read_concat,
                .fold = fold_concat,
                .integers = IntegerUse::moves,
                .dimensions = DimensionUse::any,
                .group = GroupRule{.data_inputs = 0},
                .write = {.operation = operation_index<ConcatOp>(),
                          .movement = write_concat,
                          .quantized = write_qlinear_concat,
                          .real = write_real_concat}},
    OperatorRow{.name = "QLinearConcat", .domain = kMicrosoft, .quantized = {"Concat", quantized_concat}},
    OperatorRow{.name = "Split",
                .read = read_split,
                .integers = IntegerUse::moves,
                .dimensions = DimensionUse::any,
                .group = GroupRule{},
                .first_constant = 1,
                .has_several_results = true},
    OperatorRow{.name = "Slice",
                .read = read_slice,
                .fold = fold_slice,
                .integers = IntegerUse::moves,
                .dimensions = DimensionUse::any,
                .group = GroupRule{},
                .first_constant = 1,
                .write = {.operation = operation_index<StridedSliceOp>(), .movement = write_slice}},
    OperatorRow{.name = "Gather",
                .read = read_gather,
                .fold = fold_gather,
                .integers = IntegerUse::moves,
                .dimensions = DimensionUse::any,
                .group = GroupRule{},
                .first_constant = 1},
};

}  // namespace

std::span<const OperatorRow> part_operators() {
  return kPartRows;
}

}  // namespace qsim::onnx_format
