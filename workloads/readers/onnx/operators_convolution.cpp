// Conv and ConvTranspose.
#include <algorithm>
#include <array>

#include "workloads/graph/graph_check.h"
#include "workloads/readers/onnx/operator_context.h"
#include "workloads/readers/onnx/weights.h"
#include "workloads/readers/onnx/windows.h"
#include "workloads/readers/onnx/write_context.h"

namespace qsim::onnx_format {
namespace {

/// Weights [in, out / groups, kernel ...] as [out, kernel_h, kernel_w, in].
DimensionOrder transposed_weight_order(std::size_t rank) {
  if (rank == 3) return {{3, 0, 2}, 4};
  return {{3, 0, 1, 2}, 4};
}

void read_conv(OperatorContext& context) {
  context.expect_inputs(2, 3);
  expect_spatial(context);
  const Shape& x = context.shape(0);
  const Shape& w = context.shape(1);
  const std::string weights = constant_weights(context);
  if (w.size() != x.size())
    context.fail(weights, "shape " + to_string(w),
                 std::to_string(x.size()) + " dimensions, as the input has");
  const std::int64_t groups = context.attributes.integer("group", 1);
  if (groups < 1 || x[1] % groups != 0 || w[0] % groups != 0 || w[1] != x[1] / groups) {
    context.fail(weights, "shape " + to_string(w) + " in " + std::to_string(groups) + " groups",
                 std::to_string(x[1]) + " input channels / groups, and groups that divide the channels");
  }
  const std::vector<std::int64_t> kernel = kernel_sizes(context);
  const Window window = window_of(context, kernel, false);
  expect_scales_along(context, 0);
  const Conv2dOp conv{window.stride_h, window.stride_w,   window.dilation_h, window.dilation_w,
                      window.pad_top,  window.pad_bottom, window.pad_left,   window.pad_right,
                      groups,          context.activation};
  const DimensionOrder order = DimensionOrder::channels_last(x.size());
  Shape y{x[0], w[0]};
  y.insert(y.end(), window.output.begin(), window.output.end());
  const TensorId input = windowed_input(context, window, order);
  context.emit(conv,
               {input, context.tensor(1, order),
                bias_tensor(context, 2, w[0], context.operand(0), context.operand(1))},
               y, order);
}

void read_conv_transpose(OperatorContext& context) {
  context.expect_inputs(2, 3);
  expect_spatial(context);
  const Shape& x = context.shape(0);
  const Shape& w = context.shape(1);
  const std::string weights = constant_weights(context);
  if (w.size() != x.size() || w[0] != x[1])
    context.fail(weights, "shape " + to_string(w),
                 "[" + std::to_string(x[1]) + ", outputs, kernel], as many dimensions as the input has");
  const std::int64_t groups = context.attributes.integer("group", 1);
  if (groups != 1)
    context.fail("attribute group", std::to_string(groups), "1",
                 "split the transposed convolution into one a group");
  const std::vector<std::int64_t> kernel = kernel_sizes(context);
  const std::size_t dimensions = kernel.size();
  const auto values = [&](const char* name, std::size_t count, std::int64_t fallback) {
    std::vector<std::int64_t> list =
        context.attributes.integers(name).value_or(std::vector<std::int64_t>(count, fallback));
    const bool fits =
        std::all_of(list.begin(), list.end(), [](auto v) { return v >= 0 && v <= kMaxWindowAttribute; });
    if (list.size() != count || !fits)
      context.fail(std::string("attribute ") + name, to_string(list),
                   std::to_string(count) + " values of 0 to " + std::to_string(kMaxWindowAttribute));
    return list;
  };
  const std::vector<std::int64_t> strides = values("strides", dimensions, 1);
  const std::vector<std::int64_t> dilations = values("dilations", dimensions, 1);
  const std::vector<std::int64_t> output_padding = values("output_padding", dimensions, 0);
  std::vector<std::int64_t> pads = values("pads", 2 * dimensions, 0);
  const std::string auto_pad = context.attributes.text("auto_pad", "NOTSET");
  const auto output_shape = context.attributes.integers("output_shape");
  if (std::any_of(dilations.begin(), dilations.end(), [](auto d) { return d != 1; }))
    context.fail("attribute dilations", to_string(dilations), "1", "write the zeros into the kernel");
  Shape y{x[0], w[1]};
  for (std::size_t d = 0; d < dimensions; ++d) {
    if (strides[d] < 1) context.fail("attribute strides", std::to_string(strides[d]), "1 or more");
    const std::int64_t full = strides[d] * (x[d + 2] - 1) + output_padding[d] + kernel[d];
    std::int64_t size = full - pads[d] - pads[d + dimensions];
    if (output_shape || auto_pad == "SAME_UPPER" || auto_pad == "SAME_LOWER") {
      if (output_shape && output_shape->size() != dimensions)
        context.fail("attribute output_shape", to_string(*output_shape),
                     std::to_string(dimensions) + " sizes");
      size = output_shape ? (*output_shape)[d] : std::min(x[d + 2] * strides[d], full);
      const std::int64_t total = std::max<std::int64_t>(full - size, 0);
      // The larger half lies at the end for SAME_UPPER alone: as ONNX Runtime has it, the other way round
      // than the operator's documentation.
      pads[d] = auto_pad == "SAME_UPPER" ? total / 2 : total - total / 2;
    }
    if (size < 1) context.fail("output", "size " + std::to_string(size), "1 or more");
    y.push_back(size);
  }
  const TransposeConv2dOp conv{dimensions == 2 ? strides[0] : 1, strides.back(),
                               dimensions == 2 ? pads[0] : 0, pads[dimensions - 1], context.activation};
  expect_scales_along(context, 1);
  const DimensionOrder order = DimensionOrder::channels_last(x.size());
  const TensorId input = context.tensor(0, order);
  const TensorId kernel_tensor = context.tensor(1, transposed_weight_order(w.size()));
  context.emit(conv,
               {input, kernel_tensor, bias_tensor(context, 2, w[1], context.operand(0), context.operand(1))},
               y, order);
}

std::optional<QuantizedOperator> quantized_conv(const OnnxNode& node) {
  return scaled_operands(node, 2, 8, 6, 0);
}
std::optional<QuantizedOperator> integer_conv(const OnnxNode& node) {
  return integer_operands(node, 0);
}

// ONNX Runtime takes a convolution as one of integers within these (measured with 1.30 and 1.32: it fuses up
// to 0.01 * p + 1e-6). It computes transposed convolutions with floats; a scale there may differ by the
// rounding of the product.
constexpr GroupRule kConvGroup{
    .data_inputs = 2, .has_bias = true, .takes_activation = true, .bias_tolerance = {1e-6F, 0.01F}};
constexpr GroupRule kTransposedGroup{
    .data_inputs = 2, .has_bias = true, .takes_activation = true, .bias_tolerance = {0.0F, 1e-6F}};

// ---- writing ----------------------------------------------------------------------------------------------

std::string write_real_conv(WriteContext& writer, const Node& node, const RealInput& input_value,
                            const Layout& /*layout*/) {
  const auto& op = std::get<Conv2dOp>(node.op);
  std::vector<std::string> inputs{input_value(0, channels_first(4)), input_value(1, channels_first(4))};
  if (writer.has_input(node, 2)) inputs.push_back(writer.bias_value(node));
  const Shape& w = writer.input(node, 1).shape;
  const std::string y = writer.temporary(node, "#y");
  auto& conv = writer.builder.node("Conv", node.name, inputs, y);
  set_ints(conv, "kernel_shape", {w[1], w[2]});
  set_ints(conv, "strides", {op.stride_h, op.stride_w});
  set_ints(conv, "dilations", {op.dilation_h, op.dilation_w});
  set_ints(conv, "pads", {op.pad_top, op.pad_left, op.pad_bottom, op.pad_right});
  set_int(conv, "group", op.groups);
  return writer.activated(node, op.activation, y);
}

/// y = (x - 1) * stride + kernel - pads + output_padding, the last less than the stride.
std::string write_real_transpose_conv(WriteContext& writer, const Node& node, const RealInput& input_value,
                                      const Layout& /*layout*/) {
  const auto& op = std::get<TransposeConv2dOp>(node.op);
  const Shape& x = writer.input(node, 0).shape;
  const Shape& w = writer.input(node, 1).shape;
  const Shape& y = writer.output(node).shape;
  const std::int64_t bottom = (x[1] - 1) * op.stride_h + w[1] - op.pad_top - y[1];
  const std::int64_t right = (x[2] - 1) * op.stride_w + w[2] - op.pad_left - y[2];
  if (-bottom >= op.stride_h || -right >= op.stride_w) {
    writer.refuse(node, "output " + to_string(y), "at most stride - 1 rows and columns that no tap reaches",
                  "ONNX has no more output_padding");
  }
  std::vector<std::string> inputs{input_value(0, channels_first(4)), input_value(1, {3, 0, 1, 2})};
  if (writer.has_input(node, 2)) inputs.push_back(writer.bias_value(node));
  const std::string value = writer.temporary(node, "#y");
  auto& conv = writer.builder.node("ConvTranspose", node.name, inputs, value);
  set_ints(conv, "kernel_shape", {w[1], w[2]});
  set_ints(conv, "strides", {op.stride_h, op.stride_w});
  set_ints(conv, "pads",
           {op.pad_top, op.pad_left, std::max<std::int64_t>(bottom, 0), std::max<std::int64_t>(right, 0)});
  set_ints(conv, "output_padding", {std::max<std::int64_t>(-bottom, 0), std::max<std::int64_t>(-right, 0)});
  return writer.activated(node, op.activation, value);
}

/// `weights` are [outputs, kernel_h, kernel_w, inputs].
void set_window(::onnx::NodeProto& conv, const Conv2dOp& op, const Shape& weights) {
  set_ints(conv, "kernel_shape", {weights[1], weights[2]});
  set_ints(conv, "strides", {op.stride_h, op.stride_w});
  set_ints(conv, "dilations", {op.dilation_h, op.dilation_w});
  set_ints(conv, "pads", {op.pad_top, op.pad_left, op.pad_bottom, op.pad_right});
  set_int(conv, "group", op.groups);
}

void write_conv_integer(WriteContext& writer, const Node& node) {
  const auto& op = std::get<Conv2dOp>(node.op);
  if (WriteContext::has_input(node, 2))
    writer.refuse(node, "a bias of 32-bit results", "none", "add it behind the network");
  if (!is_byte(writer.input(node, 0)) || !is_byte(writer.input(node, 1)))
    writer.refuse(node, "32-bit results of these types",
                  "operands of 8 bits, or of 16 bits and no convolution", "");
  const std::vector<std::string> inputs{writer.values.get(node.inputs[0], channels_first(4)),
                                        writer.values.get(node.inputs[1], channels_first(4)),
                                        writer.values.zero_point(node.inputs[0]),
                                        writer.values.zero_point(node.inputs[1])};
  const std::string y = writer.values.define(node.outputs[0], channels_first(4));
  set_window(writer.builder.node("ConvInteger", node.name, inputs, y), op, writer.input(node, 1).shape);
}

/// ONNX has none.
void write_transpose_conv_integer(WriteContext& writer, const Node& node) {
  if (WriteContext::has_input(node, 2))
    writer.refuse(node, "a bias of 32-bit results", "none", "add it behind the network");
  writer.refuse(node, "32-bit results of these types", "operands of 8 bits, or of 16 bits and no convolution",
                "");
}

bool write_qlinear_conv(WriteContext& writer, const Node& node) {
  const auto& op = std::get<Conv2dOp>(node.op);
  const TensorId w = node.inputs[1];
  std::vector<std::string> inputs =
      writer.quantized_operand(node.inputs[0], writer.values.get(node.inputs[0], channels_first(4)));
  append(inputs, writer.quantized_operand(w, writer.values.get(w, channels_first(4))));
  append(inputs, {writer.values.scale(node.outputs[0]), writer.values.zero_point(node.outputs[0])});
  if (writer.has_input(node, 2)) {
    inputs.push_back(writer.integer_bias(node));
  }
  const std::string y = writer.begin_output(node, channels_first(4));
  auto& conv = writer.builder.node("QLinearConv", node.name, inputs, y);
  set_window(conv, op, writer.graph.tensor(w).shape);
  writer.finish_output(node, y);
  return true;
}

constexpr std::array kConvolutionRows{
    OperatorRow{.name = "Conv",
                .read = read_conv,
                .dimensions = DimensionUse::spatial,
                .group = kConvGroup,
                .first_constant = 1,
                .write = {.operation = operation_index<Conv2dOp>(),
                          .layout = ResultLayout::image,
                          .accumulators = write_conv_integer,
                          .quantized = write_qlinear_conv,
                          .real = write_real_conv}},
    OperatorRow{.name = "ConvTranspose",
                .read = read_conv_transpose,
                .dimensions = DimensionUse::spatial,
                .group = kTransposedGroup,
                .first_constant = 1,
                .write = {.operation = operation_index<TransposeConv2dOp>(),
                          .layout = ResultLayout::image,
                          .accumulators = write_transpose_conv_integer,
                          .real = write_real_transpose_conv}},
    OperatorRow{.name = "QLinearConv", .quantized = {"Conv", quantized_conv}},
    OperatorRow{.name = "QLinearConv", .domain = kMicrosoft, .quantized = {"Conv", quantized_conv}},
    OperatorRow{.name = "ConvInteger", .quantized = {"Conv", integer_conv}},
};

}  // namespace

std::span<const OperatorRow> convolution_operators() {
  return kConvolutionRows;
}

}  // namespace qsim::onnx_format
