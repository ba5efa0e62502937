// Resize.
#include <algorithm>
#include <array>
#include <string_view>

#include "workloads/readers/onnx/operator_context.h"
#include "workloads/readers/onnx/windows.h"
#include "workloads/readers/onnx/write_context.h"

namespace qsim::onnx_format {
namespace {

template <typename T>
struct Named {
  const char* name;
  T value;
};
template <typename T>
Named(const char*, T) -> Named<T>;  // clang 14 does not deduce members

constexpr std::array kCoordinates{
    Named{"half_pixel", ResizeCoordinates::half_pixel},
    Named{"pytorch_half_pixel", ResizeCoordinates::pytorch_half_pixel},
    Named{"asymmetric", ResizeCoordinates::asymmetric},
    Named{"align_corners", ResizeCoordinates::align_corners},
    Named{"tf_half_pixel_for_nn", ResizeCoordinates::tf_half_pixel_for_nn},
};
constexpr std::array kRoundings{
    Named{"floor", ResizeRounding::floor},
    Named{"ceil", ResizeRounding::ceil},
    Named{"round_prefer_floor", ResizeRounding::round_prefer_floor},
    Named{"round_prefer_ceil", ResizeRounding::round_prefer_ceil},
};

/// ONNX Runtime has moved the channels of these integers last: QLinearConv made them, or operators that it
/// moves them through did.
bool lies_behind_convolution(const OperatorContext& context, std::string value) {
  constexpr std::array<std::string_view, 5> kMovedThrough{"QLinearAdd", "QLinearMul", "MaxPool",
                                                          "QLinearGlobalAveragePool", "QLinearConcat"};
  while (const std::optional<std::size_t> index = context.builder.model().producer(value)) {
    const OnnxNode& producer = context.builder.model().model().nodes[*index];
    if (producer.op_type == "QLinearConv") return true;
    const bool is_linear_resize = producer.op_type == "Resize" &&
                                  Attributes(producer, context.file()).text("mode", "nearest") == "linear";
    if (!is_linear_resize && std::ranges::find(kMovedThrough, producer.op_type) == kMovedThrough.end())
      return false;
    const std::size_t first_data = producer.op_type == "QLinearConcat" ? 2 : 0;
    if (first_data >= producer.inputs.size()) return false;
    value = producer.inputs[first_data];
  }
  return false;
}

void read_resize(OperatorContext& context) {
  const bool has_roi = context.opset() >= 11;
  context.expect_inputs(has_roi ? 1 : 2, has_roi ? 4 : 2);
  expect_spatial(context);
  const Shape& x = context.shape(0);
  if (context.attributes.has("axes"))
    context.fail("attribute axes", "some dimensions", "scales or sizes of all dimensions");
  if (context.attributes.text("keep_aspect_ratio_policy", "stretch") != "stretch")
    context.fail("attribute keep_aspect_ratio_policy",
                 context.attributes.text("keep_aspect_ratio_policy", ""), "stretch");
  if (context.attributes.flag("antialias", false)) context.fail("attribute antialias", "1", "0");
  if (context.attributes.flag("exclude_outside", false)) context.fail("attribute exclude_outside", "1", "0");
  context.attributes.ignore("cubic_coeff_a");
  context.attributes.ignore("extrapolation_value");
  ResizeOp op;
  const std::string mode = context.attributes.text("mode", "nearest");
  if (mode != "nearest" && mode != "linear")
    context.fail("attribute mode", '"' + mode + '"', "nearest or linear");
  op.mode = mode == "linear" ? ResizeMode::linear : ResizeMode::nearest;
  const std::string coordinates =
      context.attributes.text("coordinate_transformation_mode", has_roi ? "half_pixel" : "asymmetric");
  const std::string rounding =
      context.attributes.text("nearest_mode", has_roi ? "round_prefer_floor" : "floor");
  const auto* coordinates_row = std::ranges::find(
      kCoordinates, coordinates, [](const auto& named) { return std::string_view(named.name); });
  if (coordinates_row == kCoordinates.end()) {
    context.fail("attribute coordinate_transformation_mode", '"' + coordinates + '"',
                 "half_pixel, pytorch_half_pixel, asymmetric, align_corners or tf_half_pixel_for_nn");
  }
  op.coordinates = coordinates_row->value;
  const auto* rounding_row =
      std::ranges::find(kRoundings, rounding, [](const auto& named) { return std::string_view(named.name); });
  if (rounding_row == kRoundings.end()) {
    context.fail("attribute nearest_mode", '"' + rounding + '"',
                 "floor, ceil, round_prefer_floor or round_prefer_ceil");
  }
  op.rounding = rounding_row->value;
  const std::optional<std::vector<float>> scales = context.reals(has_roi ? 2 : 1, "scales");
  const std::optional<std::vector<std::int64_t>> sizes = has_roi ? context.indices(3, "sizes") : std::nullopt;
  const bool by_sizes = sizes && !sizes->empty();
  if (by_sizes == (scales && !scales->empty()))
    context.fail("scales and sizes", "both or none", "one of the two");
  const std::size_t count = by_sizes ? sizes->size() : scales->size();
  if (count != x.size())
    context.fail("scales or sizes", std::to_string(count), std::to_string(x.size()) + ", one a dimension");
  Shape y;
  std::vector<float> factors;
  for (std::size_t d = 0; d < x.size(); ++d) {
    const auto in = static_cast<float>(x[d]);
    const float factor = by_sizes ? static_cast<float>((*sizes)[d]) / in : (*scales)[d];
    constexpr float kMaxFactor = 1 << 20;
    if (!(factor > 0.0F) || factor > kMaxFactor)
      context.fail("scales or sizes", std::to_string(factor), "above 0");
    y.push_back(by_sizes ? (*sizes)[d] : static_cast<std::int64_t>(in * factor));
    factors.push_back(factor);
  }
  if (y[0] != x[0] || y[1] != x[1])
    context.fail("scales or sizes", "another batch or number of channels", "1 there");
  op.scale_h = x.size() == 4 ? factors[2] : 1.0F;
  op.scale_w = factors.back();
  const DimensionOrder order = DimensionOrder::channels_last(x.size());
  if (op.mode == ResizeMode::linear && context.is_group()) {
    op.blend = ResizeBlend::reals;
    return context.emit(op, {context.tensor(0, order)}, y, order);
  }
  if (lies_behind_convolution(context, context.operand(0).value)) op.blend = ResizeBlend::integers_1024;
  context.emit_move(op, {context.tensor(0, order)}, y, order);
}

// ---- writing ----------------------------------------------------------------------------------------------

template <typename Rows, typename T>
const char* name_of(const Rows& rows, T value) {
  return std::ranges::find(rows, value, [](const auto& named) { return named.value; })->name;
}

/// Scales where they give the output's size, since positions follow from them; else the size.
bool write_resize(WriteContext& writer, const Node& node) {
  const auto& op = std::get<ResizeOp>(node.op);
  const bool is_float = writer.output(node).is_float();
  if (!is_float && (!is_byte(writer.output(node)) ||
                    !same_stored_quantization(writer.input(node, 0), writer.output(node)))) {
    writer.refuse(node, "resize to another scale", "equal scales of input and output, and 8 bits",
                  "put a quantize behind it");
  }
  const Shape& x = writer.input(node, 0).shape;
  const Shape& y = writer.output(node).shape;
  const auto resized = [](std::int64_t size, float scale) {
    return static_cast<std::int64_t>(static_cast<float>(size) * scale);
  };
  const bool by_scale = resized(x[1], op.scale_h) == y[1] && resized(x[2], op.scale_w) == y[2];
  const std::string value = writer.values.get(node.inputs[0], channels_first(4));
  const std::array<float, 4> scales{1.0F, 1.0F, op.scale_h, op.scale_w};
  std::vector<std::string> inputs{value, "",
                                  by_scale ? writer.builder.floats(node.name + "#scales", scales) : ""};
  if (!by_scale)
    inputs.push_back(writer.builder.integers(node.name + "#sizes", shape_in(y, channels_first(4))));
  auto& resize = writer.builder.node("Resize", node.name, inputs,
                                     writer.values.define(node.outputs[0], channels_first(4)));
  set_text(resize, "mode", op.mode == ResizeMode::nearest ? "nearest" : "linear");
  set_text(resize, "coordinate_transformation_mode", name_of(kCoordinates, op.coordinates));
  if (op.mode == ResizeMode::nearest) set_text(resize, "nearest_mode", name_of(kRoundings, op.rounding));
  return true;
}

constexpr std::array kResizeRows{
    OperatorRow{.name = "Resize",
                .read = read_resize,
                .integers = IntegerUse::moves,
                .dimensions = DimensionUse::spatial,
                .group = GroupRule{},
                .first_constant = 1,
                .write = {.operation = operation_index<ResizeOp>(),
                          .layout = ResultLayout::image,
                          .movement = write_resize}},
};

}  // namespace

std::span<const OperatorRow> resize_operators() {
  return kResizeRows;
}

}  // namespace qsim::onnx_format
