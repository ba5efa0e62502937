// Operators that take integers as well as floats: they move elements or choose among them.
#include <algorithm>
#include <limits>

#include "workloads/readers/onnx/node_writer.h"

namespace qsim::onnx_write {
namespace {

bool same_quantization(const Tensor& a, const Tensor& b) {
  if (!a.quantization || !b.quantization) return a.quantization.has_value() == b.quantization.has_value();
  return a.type == b.type && a.quantization->scales == b.quantization->scales &&
         a.quantization->zero_points == b.quantization->zero_points;
}

const char* coordinates_name(ResizeCoordinates coordinates) {
  switch (coordinates) {
    case ResizeCoordinates::half_pixel:
      return "half_pixel";
    case ResizeCoordinates::pytorch_half_pixel:
      return "pytorch_half_pixel";
    case ResizeCoordinates::asymmetric:
      return "asymmetric";
    case ResizeCoordinates::align_corners:
      return "align_corners";
    case ResizeCoordinates::tf_half_pixel_for_nn:
      return "tf_half_pixel_for_nn";
  }
  return "";
}

const char* rounding_name(ResizeRounding rounding) {
  switch (rounding) {
    case ResizeRounding::floor:
      return "floor";
    case ResizeRounding::ceil:
      return "ceil";
    case ResizeRounding::round_prefer_floor:
      return "round_prefer_floor";
    case ResizeRounding::round_prefer_ceil:
      return "round_prefer_ceil";
  }
  return "";
}

/// Integers are moved as they are, whatever the scales say; an operator on them needs a type that ONNX
/// Runtime has it for.
bool takes_integers(const Tensor& tensor) {
  return tensor.type == ElementType::i8 || tensor.type == ElementType::u8;
}

}  // namespace

bool NodeWriter::write_movement(const Node& node) {
  if (const auto* op = std::get_if<Pool2dOp>(&node.op)) {
    const bool on_integers = op->kind == PoolKind::max && takes_integers(output(node));
    if (on_integers) write_max_pool(node, *op);
    return on_integers;
  }
  if (const auto* op = std::get_if<ConcatOp>(&node.op)) return write_concat(node, *op);
  if (const auto* op = std::get_if<ResizeOp>(&node.op)) return write_resize(node, *op);
  if (const auto* op = std::get_if<PadOp>(&node.op)) {
    // Pad takes no 16-bit integers.
    const bool on_values = output(node).is_float() || takes_integers(output(node));
    if (on_values) write_pad(node, *op);
    return on_values;
  }
  if (const auto* slice = std::get_if<StridedSliceOp>(&node.op)) {
    write_slice(node, *slice);
  } else if (std::holds_alternative<ReshapeOp>(node.op)) {
    write_reshape(node);
  } else if (const auto* transpose = std::get_if<TransposeOp>(&node.op)) {
    write_transpose(node, *transpose);
  } else {
    return false;
  }
  return true;
}

void NodeWriter::write_max_pool(const Node& node, const Pool2dOp& op) {
  const std::string x = values_.get(node.inputs[0], channels_first(4));
  const std::string y = begin_output(node, channels_first(4));
  auto& pool = builder_.node("MaxPool", node.name, {x}, y);
  set_ints(pool, "kernel_shape", {op.kernel_h, op.kernel_w});
  set_ints(pool, "strides", {op.stride_h, op.stride_w});
  set_ints(pool, "pads", {op.pad_top, op.pad_left, op.pad_bottom, op.pad_right});
  finish_output(node, y);
}

void NodeWriter::write_pad(const Node& node, const PadOp& op) {
  const Layout layout = natural_layout(node);
  TensorData value(output(node).type, {});
  if (output(node).is_float()) {
    value.as<float>()[0] = op.real_value;
  } else {
    value.set(0, op.value);
  }
  builder_.node("Pad", node.name,
                {values_.get(node.inputs[0], layout), pads_in(node, op, layout),
                 builder_.constant(node.name + "#value", value)},
                values_.define(node.outputs[0], layout));
}

std::string NodeWriter::pads_in(const Node& node, const PadOp& op, const Layout& layout) {
  std::vector<std::int64_t> pads;
  for (const auto* side : {&op.before, &op.after}) {
    for (const int axis : layout) pads.push_back((*side)[static_cast<std::size_t>(axis)]);
  }
  return builder_.integers(node.name + "#pads", pads);
}

/// Indices begin, begin + stride, ..: the end is one stride behind the last, far below 0 for a negative
/// stride that reaches the first element.
void NodeWriter::write_slice(const Node& node, const StridedSliceOp& op) {
  const std::size_t rank = op.begin.size();
  const bool keeps_rank = output(node).shape == op.count;
  const Layout layout = keeps_rank ? natural_layout(node) : graph_order(rank);
  std::vector<std::int64_t> starts, ends, axes, steps;
  for (std::size_t i = 0; i < rank; ++i) {
    const auto axis = static_cast<std::size_t>(layout[i]);
    const std::int64_t end = op.begin[axis] + op.stride[axis] * op.count[axis];
    starts.push_back(op.begin[axis]);
    ends.push_back(end < 0 ? std::numeric_limits<std::int64_t>::min() + 1 : end);
    axes.push_back(static_cast<std::int64_t>(i));
    steps.push_back(op.stride[axis]);
  }
  const std::string x = values_.get(node.inputs[0], layout);
  const std::string sliced =
      keeps_rank ? values_.define(node.outputs[0], layout) : temporary(node, "#sliced");
  builder_.node(
      "Slice", node.name,
      {x, builder_.integers(node.name + "#starts", starts), builder_.integers(node.name + "#ends", ends),
       builder_.integers(node.name + "#slice_axes", axes), builder_.integers(node.name + "#steps", steps)},
      sliced);
  if (keeps_rank) return;
  builder_.node("Reshape", node.name + "#reshape",
                {sliced, builder_.integers(node.name + "#output_shape", output(node).shape)},
                values_.define(node.outputs[0], graph_order(output(node).shape.size())));
}

void NodeWriter::write_reshape(const Node& node) {
  const std::string x = values_.get(node.inputs[0], graph_order(input(node, 0).shape.size()));
  builder_.node("Reshape", node.name, {x, builder_.integers(node.name + "#output_shape", output(node).shape)},
                values_.define(node.outputs[0], graph_order(output(node).shape.size())));
}

/// From whatever layout the input has to the graph's order of the output.
void NodeWriter::write_transpose(const Node& node, const TransposeOp& op) {
  const TensorId id = node.inputs[0];
  const std::size_t rank = op.permutation.size();
  Layout from = values_.defined_layout(id);
  if (from.size() != rank) from = graph_order(rank);
  std::vector<std::int64_t> permutation;
  for (const int axis : op.permutation) permutation.push_back(position_of(from, axis));
  const std::string x = values_.get(id, from);
  set_ints(builder_.node("Transpose", node.name, {x}, values_.define(node.outputs[0], graph_order(rank))),
           "perm", permutation);
}

/// Of tensors that have the output's scale, and of floats.
bool NodeWriter::write_concat(const Node& node, const ConcatOp& op) {
  const bool copies = std::all_of(node.inputs.begin(), node.inputs.end(), [&](TensorId id) {
    return same_quantization(graph_.tensor(id), output(node));
  });
  const bool whatever_the_scales = graph_.semantics == Semantics::tflite && !takes_integers(output(node));
  if (!copies && !whatever_the_scales) return false;
  const Layout layout = natural_layout(node);
  std::vector<std::string> inputs;
  for (const TensorId id : node.inputs) inputs.push_back(values_.get(id, layout));
  set_int(builder_.node("Concat", node.name, inputs, values_.define(node.outputs[0], layout)), "axis",
          position_of(layout, op.axis));
  return true;
}

/// Scales where they give the output's size, since positions follow from them; else the size.
bool NodeWriter::write_resize(const Node& node, const ResizeOp& op) {
  const bool is_float = output(node).is_float();
  if (!is_float && (!takes_integers(output(node)) || !same_quantization(input(node, 0), output(node)))) {
    refuse(node, "resize to another scale", "equal scales of input and output, and 8 bits",
           "put a quantize behind it");
  }
  const Shape& x = input(node, 0).shape;
  const Shape& y = output(node).shape;
  const auto resized = [](std::int64_t size, float scale) {
    return static_cast<std::int64_t>(static_cast<float>(size) * scale);
  };
  const bool by_scale = resized(x[1], op.scale_h) == y[1] && resized(x[2], op.scale_w) == y[2];
  const std::string value = values_.get(node.inputs[0], channels_first(4));
  const std::array<float, 4> scales{1.0F, 1.0F, op.scale_h, op.scale_w};
  std::vector<std::string> inputs{value, "", by_scale ? builder_.floats(node.name + "#scales", scales) : ""};
  if (!by_scale) inputs.push_back(builder_.integers(node.name + "#sizes", shape_in(y, channels_first(4))));
  auto& resize =
      builder_.node("Resize", node.name, inputs, values_.define(node.outputs[0], channels_first(4)));
  set_text(resize, "mode", op.mode == ResizeMode::nearest ? "nearest" : "linear");
  set_text(resize, "coordinate_transformation_mode", coordinates_name(op.coordinates));
  if (op.mode == ResizeMode::nearest) set_text(resize, "nearest_mode", rounding_name(op.rounding));
  return true;
}

}  // namespace qsim::onnx_write
