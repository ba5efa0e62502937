// Operations with weights on the MAC array: convolutions and fully connected layers.
#include "workloads/graph/blocks.h"
#include "workloads/graph/graph_check.h"
#include "workloads/ops/definition.h"
#include "workloads/ops/fields.h"
#include "workloads/ops/node_check.h"

namespace qsim {
namespace {

constexpr Field kStride{"stride", "Distance of windows, in elements: a number, or [height, width]."};
constexpr OperandCount kWeightsAndBias{2, 3, 2};

template <typename Concrete>
void check_mac_scales(const Concrete& /*op*/, NodeCheck& check) {
  check.expect_mac_scales();
}

/// Integer weights that float activations are quantized for on the way (Conv2dOp's comment).
bool has_dynamic_range(const Tensor& weights) {
  return weights.type == ElementType::i8 && weights.quantization &&
         weights.quantization->scales.size() == 1 && weights.quantization->zero_point() == 0 &&
         !weights.quantization->has_groups();
}

void check_float_operands(NodeCheck& check, bool takes_dynamic_range) {
  check.expect_activation(check.output());
  const Tensor& weights = check.input(1);
  for (std::size_t i = 1; i < check.node().inputs.size(); ++i) {
    if (!check.has_input(i)) continue;
    const Tensor& operand = check.input(i);
    const std::string subject = (i == 1 ? "weights \"" : "bias \"") + operand.name + "\"";
    const bool fits = operand.is_float() || (i == 1 && takes_dynamic_range && has_dynamic_range(weights));
    check.expect(operand.is_constant() && fits, subject, element_type_name(operand.type),
                 "a constant of type F32, as the activations are");
  }
  if (!check.has_input(2)) return;
  const Tensor& bias = check.input(2);
  check.expect(element_count(bias.shape) == weights.shape[0], "bias \"" + bias.name + "\"",
               "shape " + to_string(bias.shape),
               std::to_string(weights.shape[0]) + " elements, one an output channel");
}

void check_weights(NodeCheck& check) {
  const Tensor& weights = check.input(1);
  const std::string subject = "weights \"" + weights.name + "\"";
  check.expect(weights.is_constant(), subject, "a tensor computed by the network", "a constant");
  if (!check.expect(weights.quantization && weights.quantization->bits <= 16, subject,
                    element_type_name(weights.type), "a quantized tensor of 1 to 16 bits")) {
    return;
  }
  const Quantization& q = *weights.quantization;
  check.expect(q.scales.size() == 1 || q.axis == 0, subject, "quantization axis " + std::to_string(q.axis),
               "0, the output channels");
  check.expect(
      has_blocks(weights) == has_blocks(check.input(0)) && has_blocks(weights) == has_blocks(check.output()),
      subject, "operands and outputs of which only some are in blocks", "all of them, or none");
}

/// Weights, bias and the quantization of a node with weights.
void check_operands(NodeCheck& check, bool takes_dynamic_range) {
  if (check.is_float()) return check_float_operands(check, takes_dynamic_range);
  check.expect_activation(check.input(0));
  check.expect_mac_output();
  check_weights(check);
  if (!check.has_input(2)) return;
  const Tensor& bias = check.input(2);
  const std::string subject = "bias \"" + bias.name + "\"";
  const std::int64_t channels = check.input(1).shape[0];
  check.expect(bias.is_constant(), subject, "a tensor computed by the network", "a constant");
  const bool is_blocks = has_blocks(check.input(0));
  check.expect(is_blocks ? bias.is_float() : bias.type == ElementType::i32 || bias.type == ElementType::i64,
               subject, element_type_name(bias.type), is_blocks ? "F32, as blocks want it" : "I32 or I64");
  check.expect(element_count(bias.shape) == channels, subject, "shape " + to_string(bias.shape),
               std::to_string(channels) + " elements, one an output channel");
}

/// Batch and output channels of a convolution.
void check_output_channels(NodeCheck& check) {
  const Shape& x = check.input(0).shape;
  const Shape& w = check.input(1).shape;
  const Shape& y = check.output().shape;
  check.expect(y[0] == x[0] && channels_of(check.output()) == w[0], "output", "shape " + to_string(y),
               "batch " + std::to_string(x[0]) + " and " + std::to_string(w[0]) + " channels");
}

bool check_ranks(NodeCheck& check) {
  return check.expect_rank(check.input(0), 4) && check.expect_rank(check.input(1), 4) &&
         check.expect_rank(check.output(), 4);
}

ConvGeometry geometry_of_shapes(const Graph& graph, const Node& node) {
  const Shape& x = graph.tensor(node.inputs[0]).shape;
  const Shape& w = graph.tensor(node.inputs[1]).shape;
  const Shape& y = graph.tensor(node.outputs[0]).shape;
  ConvGeometry g;
  g.batch = x[0];
  g.in_h = x[1];
  g.in_w = x[2];
  g.in_channels = channels_of(graph.tensor(node.inputs[0]));
  g.out_h = y[1];
  g.out_w = y[2];
  g.out_channels = channels_of(graph.tensor(node.outputs[0]));
  g.kernel_h = w[1];
  g.kernel_w = w[2];
  return g;
}

// ---- convolution -----------------------------------------------------------------------------------------

const std::array kConvForms{
    OpForm{"conv2d",
           "Convolution of [batch, height, width, channels] with weights [out_channels, kernel_h, kernel_w, "
           "channels / groups].",
           Conv2dOp{}},
    OpForm{"depthwise_conv2d",
           "Convolution of each channel by itself, weights [out_channels, kernel_h, kernel_w, 1].",
           Conv2dOp{}}};

std::size_t conv_form(const Graph& graph, const Node& node) {
  const std::int64_t groups = std::get<Conv2dOp>(node.op).groups;
  return groups > 1 && groups == graph.tensor(node.inputs[0]).shape.back() ? 1 : 0;
}

void conv_fields(Conv2dOp& op, OpFields& fields) {
  fields.height_width(kStride, op.stride_h, op.stride_w, HeightWidth{});
  fields.height_width({"dilation", "Distance of kernel taps, in elements."}, op.dilation_h, op.dilation_w,
                      HeightWidth{});
  fields.padding({op.pad_top, op.pad_bottom, op.pad_left, op.pad_right}, std::nullopt,
                 {op.stride_h, op.stride_w}, {op.dilation_h, op.dilation_w});
  if (fields.form() == kConvForms[1].name) {
    fields.input_channels(op.groups);
  } else {
    fields.integer({"groups", "Groups of channels that do not mix."}, op.groups, 1, kMaxTensorElements, 1);
  }
  fields.activation(op.activation);
}

InferredShape conv_shape(const Conv2dOp& op, std::span<const Shape> inputs, const std::optional<Shape>&) {
  const Shape& x = inputs[0];
  const Shape& w = inputs[1];
  if (x.size() != 4 || w.size() != 4) return wrong_shape("an input and weights of 4 dimensions");
  if (op.groups < 1 || x[3] % op.groups != 0 || w[0] % op.groups != 0 || w[3] != x[3] / op.groups) {
    return wrong_shape("weights [out_channels, kernel_h, kernel_w, " + std::to_string(x[3]) +
                       " input channels / groups], and groups that divide both numbers of channels");
  }
  return {{x[0], window_output_size(x[1], w[1], op.stride_h, op.dilation_h, op.pad_top, op.pad_bottom),
           window_output_size(x[2], w[2], op.stride_w, op.dilation_w, op.pad_left, op.pad_right), w[0]},
          {}};
}

void check_conv(const Conv2dOp& op, NodeCheck& check) {
  if (!check_ranks(check)) return;
  check_operands(check, op.groups == 1);
  const Shape& x = check.input(0).shape;
  const Tensor& w = check.input(1);
  const std::int64_t outputs = w.shape[0];
  if (!check.expect(op.groups >= 1 && x[3] % op.groups == 0 && outputs % op.groups == 0, "groups",
                    std::to_string(op.groups),
                    "a divisor of " + std::to_string(x[3]) + " input and " + std::to_string(outputs) +
                        " output channels")) {
    return;
  }
  check.expect(w.shape[3] == x[3] / op.groups, "weights \"" + w.name + "\"", "shape " + to_string(w.shape),
               std::to_string(x[3] / op.groups) + " input channels a group");
  const bool has_groups = w.quantization && w.quantization->has_groups();
  check.expect(!has_groups || w.shape[3] > 1, "weights \"" + w.name + "\"",
               "group_size " + std::string(has_groups ? std::to_string(w.quantization->group_size) : ""),
               "0: a tap of a depthwise convolution has one input channel",
               "use one scale an output channel");
  check.expect(!has_blocks(w) || op.groups == 1, "groups", std::to_string(op.groups),
               "1 in block formats: a block of channels meets one of the other operand");
  check_output_channels(check);
  check.expect_window(w.shape[1], op.stride_h, op.dilation_h, op.pad_top, op.pad_bottom, 1);
  check.expect_window(w.shape[2], op.stride_w, op.dilation_w, op.pad_left, op.pad_right, 2);
}

ConvGeometry conv_geometry_of(const Graph& graph, const Node& node) {
  const auto& op = std::get<Conv2dOp>(node.op);
  ConvGeometry g = geometry_of_shapes(graph, node);
  g.stride_h = op.stride_h;
  g.stride_w = op.stride_w;
  g.dilation_h = op.dilation_h;
  g.dilation_w = op.dilation_w;
  g.pad_top = op.pad_top;
  g.pad_left = op.pad_left;
  g.groups = op.groups;
  return g;
}

/// The repeated input of a depthwise convolution: 2 bytes an input of each output channel.
std::int64_t conv_scratch_bytes(const Graph& graph, const Node& node) {
  if (std::get<Conv2dOp>(node.op).groups == 1) return 0;
  const Shape& input = graph.tensor(node.inputs[0]).shape;
  return 2 * (element_count(input) / input.back()) * graph.tensor(node.outputs[0]).shape.back();
}

// ---- transposed convolution ------------------------------------------------------------------------------

const std::array kTransposeConvForms{
    OpForm{"transpose_conv2d",
           "Transposed convolution, weights [out_channels, kernel_h, kernel_w, channels]; output size (input "
           "- 1) * stride + kernel - padding.",
           TransposeConv2dOp{}}};

void transpose_conv_fields(TransposeConv2dOp& op, OpFields& fields) {
  fields.height_width(kStride, op.stride_h, op.stride_w, HeightWidth{});
  fields.transposed_padding({op.stride_h, op.stride_w}, op.pad_top, op.pad_left);
  fields.activation(op.activation);
}

InferredShape transpose_conv_shape(const TransposeConv2dOp& /*op*/, std::span<const Shape> inputs,
                                   const std::optional<Shape>& declared) {
  const Shape& x = inputs[0];
  const Shape& w = inputs[1];
  if (x.size() != 4 || w.size() != 4 || w[3] != x[3]) {
    return wrong_shape(
        "an input of 4 dimensions and weights [out_channels, kernel_h, kernel_w, input channels]");
  }
  if (!declared || declared->size() != 4) return wrong_shape("an output shape of 4 dimensions");
  return {{x[0], (*declared)[1], (*declared)[2], w[0]}, {}};
}

void check_transpose_conv(const TransposeConv2dOp& op, NodeCheck& check) {
  if (!check_ranks(check)) return;
  check_operands(check, false);
  check.expect(!has_blocks(check.input(0)), "input", "blocks", "integers with one scale a tensor");
  const Tensor& w = check.input(1);
  const std::int64_t channels = check.input(0).shape[3];
  check.expect(w.shape[3] == channels, "weights \"" + w.name + "\"", "shape " + to_string(w.shape),
               std::to_string(channels) + " input channels");
  check_output_channels(check);
  for (const std::int64_t stride : {op.stride_h, op.stride_w}) {
    check.expect(stride >= 1 && stride <= kMaxWindowAttribute, "stride", std::to_string(stride),
                 "1 to " + std::to_string(kMaxWindowAttribute));
  }
  for (const std::int64_t pad : {op.pad_top, op.pad_left}) {
    check.expect(pad >= 0 && pad <= kMaxWindowAttribute, "padding", std::to_string(pad),
                 "0 to " + std::to_string(kMaxWindowAttribute));
  }
}

ConvGeometry transpose_conv_geometry(const Graph& graph, const Node& node) {
  const auto& op = std::get<TransposeConv2dOp>(node.op);
  ConvGeometry g = geometry_of_shapes(graph, node);
  g.pad_top = g.kernel_h - 1 - op.pad_top;
  g.pad_left = g.kernel_w - 1 - op.pad_left;
  g.insert_h = op.stride_h;
  g.insert_w = op.stride_w;
  g.is_turned = true;
  return g;
}

// ---- fully connected -------------------------------------------------------------------------------------

const std::array kFullyConnectedForms{OpForm{
    "fully_connected", "y = x W^T + b with weights [outputs, depth]; x is seen as rows of `depth` elements.",
    FullyConnectedOp{}}};

void fully_connected_fields(FullyConnectedOp& op, OpFields& fields) {
  fields.activation(op.activation);
}

InferredShape fully_connected_shape(const FullyConnectedOp& /*op*/, std::span<const Shape> inputs,
                                    const std::optional<Shape>& declared) {
  const Shape& w = inputs[1];
  const std::int64_t elements = element_count(inputs[0]);
  if (w.size() != 2 || elements % w[1] != 0) {
    return wrong_shape("weights [outputs, depth] with a depth that divides the input's " +
                       std::to_string(elements) + " elements");
  }
  const std::int64_t rows = elements / w[1];
  const bool fits = declared && !declared->empty() && declared->back() == w[0] &&
                    checked_element_count(*declared) == rows * w[0];
  return {fits ? *declared : Shape{rows, w[0]}, {}};
}

void check_fully_connected(const FullyConnectedOp& /*op*/, NodeCheck& check) {
  const Shape& w = check.input(1).shape;
  if (!check.expect_rank(check.input(1), 2)) return;
  check_operands(check, true);
  const std::int64_t elements = element_count(check.input(0).shape);
  if (!check.expect(elements % w[1] == 0, "input", std::to_string(elements) + " elements",
                    "a multiple of the weights' depth " + std::to_string(w[1]))) {
    return;
  }
  const Shape& y = check.output().shape;
  const bool fits = has_blocks(check.output()) ? channels_of(check.output()) == w[0] &&
                                                     element_count(y) / y.back() == elements / w[1]
                                               : check.inferred_shape().shape == y;
  check.expect(fits, "output", "shape " + to_string(y),
               std::to_string(elements / w[1]) + " rows of " + std::to_string(w[0]));
}

ConvGeometry fully_connected_geometry(const Graph& graph, const Node& node) {
  const Shape& w = graph.tensor(node.inputs[1]).shape;
  ConvGeometry g;
  g.in_channels = channels_of(graph.tensor(node.inputs[1]));
  g.in_w = g.out_w = element_count(graph.tensor(node.inputs[0]).shape) / w[1];
  g.out_channels = w[0];
  return g;
}

}  // namespace

extern const OpDefinition kConv2d{.forms = kConvForms,
                                  .form = conv_form,
                                  .operands = kWeightsAndBias,
                                  .has_weights = true,
                                  .shape_operands = 2,
                                  .fields = column<conv_fields>,
                                  .shape = column<conv_shape>,
                                  .check = column<check_conv>,
                                  .check_scales = column<check_mac_scales<Conv2dOp>>,
                                  .engine = Engine::mac_array,
                                  .geometry = conv_geometry_of,
                                  .scratch_bytes = conv_scratch_bytes};

extern const OpDefinition kTransposeConv2d{.forms = kTransposeConvForms,
                                           .operands = kWeightsAndBias,
                                           .has_weights = true,
                                           .shape_operands = 2,
                                           .fields = column<transpose_conv_fields>,
                                           .shape = column<transpose_conv_shape>,
                                           .check = column<check_transpose_conv>,
                                           .check_scales = column<check_mac_scales<TransposeConv2dOp>>,
                                           .engine = Engine::mac_array,
                                           .geometry = transpose_conv_geometry};

extern const OpDefinition kFullyConnected{.forms = kFullyConnectedForms,
                                          .operands = kWeightsAndBias,
                                          .has_weights = true,
                                          .shape_operands = 2,
                                          .fields = column<fully_connected_fields>,
                                          .shape = column<fully_connected_shape>,
                                          .check = column<check_fully_connected>,
                                          .check_scales = column<check_mac_scales<FullyConnectedOp>>,
                                          .engine = Engine::mac_array,
                                          .geometry = fully_connected_geometry,
                                          .needs_dense_input = true};

}  // namespace qsim
