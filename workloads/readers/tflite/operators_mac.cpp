// CONV_2D, DEPTHWISE_CONV_2D, TRANSPOSE_CONV, FULLY_CONNECTED, BATCH_MATMUL.
#include <algorithm>
#include <cstring>
#include <utility>

#include "workloads/graph/graph_check.h"
#include "workloads/readers/tflite/operator_context.h"
#include "workloads/readers/tflite/operator_table.h"
#include "workloads/readers/tflite/padding.h"

namespace qsim::tflite {
namespace {

/// One weight scale, or one an output channel; zero points only where the kernel reads them.
void check_weights(const OperatorContext& op, std::int32_t channel_dimension, bool zero_points_allowed) {
  const ModelTensor& w = op.input(1);
  const std::string subject = "weights \"" + w.name + "\"";
  if (op.is_float() && w.type == ElementCode::FLOAT32) return;
  if (w.type != ElementCode::INT8 && w.type != ElementCode::INT4) {
    op.fail(subject, type_name(w.type), "INT8 or INT4", "convert the model with int8 weights");
  }
  if (w.scales.size() > 1 && w.quantized_dimension != channel_dimension) {
    op.fail(subject, "quantized dimension " + std::to_string(w.quantized_dimension),
            std::to_string(channel_dimension) + ", the output channels");
  }
  const bool has_zero_points = std::ranges::any_of(w.zero_points, [](auto z) { return z != 0; });
  if (has_zero_points && !(zero_points_allowed && w.scales.size() == 1)) {
    op.fail(subject, "weights with a zero point", "zero point 0, as TFLite defines INT8 weights");
  }
}

void expect_window(const OperatorContext& op, std::initializer_list<std::int64_t> sizes,
                   const std::string& what) {
  for (const std::int64_t size : sizes) {
    if (size >= 1 && size <= kMaxWindowAttribute) continue;
    op.fail("window", what + " " + std::to_string(size), "1 to " + std::to_string(kMaxWindowAttribute));
  }
}

/// What the two kinds of convolutions have in common; groups are left to the caller.
template <typename Options>
Conv2dOp windowed(const OperatorContext& op, const Options& options) {
  const Shape& x = op.input(0).shape;
  const Shape& w = op.input(1).shape;
  Conv2dOp conv;
  conv.stride_w = options.stride_w();
  conv.stride_h = options.stride_h();
  conv.dilation_w = options.dilation_w();
  conv.dilation_h = options.dilation_h();
  conv.activation = op.activation(options.activation());
  expect_window(op, {conv.stride_h, conv.stride_w, conv.dilation_h, conv.dilation_w, w[1], w[2]},
                "stride, dilation or kernel");
  const bool same = op.is_same_padding(options.padding());
  const PaddingSizes h = padding_sizes(same, x[1], (w[1] - 1) * conv.dilation_h + 1, conv.stride_h);
  const PaddingSizes v = padding_sizes(same, x[2], (w[2] - 1) * conv.dilation_w + 1, conv.stride_w);
  conv.pad_top = h.before;
  conv.pad_bottom = h.after;
  conv.pad_left = v.before;
  conv.pad_right = v.after;
  return conv;
}

void read_conv(OperatorContext& op) {
  op.expect_inputs(2, 3);
  op.expect_same_type(1);
  check_weights(op, 0, false);
  op.expect_rank(op.input(0), 4);
  op.expect_rank(op.input(1), 4);
  Conv2dOp conv = windowed(op, or_defaults(op.table().builtin_options_as_ConvolutionOptions()));
  const std::int64_t channels = op.input(0).shape[3];
  const std::int64_t group_channels = op.input(1).shape[3];
  if (group_channels < 1 || channels % group_channels != 0) {
    op.fail("weights \"" + op.input(1).name + "\"", std::to_string(group_channels) + " input channels",
            "a divisor of the input's " + std::to_string(channels));
  }
  conv.groups = channels / group_channels;
  op.add_node(conv, {op.use(0), op.use(1), op.use(2)});
}

void read_depthwise(OperatorContext& op) {
  op.expect_inputs(2, 3);
  op.expect_same_type(1);
  check_weights(op, 3, false);
  op.expect_rank(op.input(0), 4);
  op.expect_rank(op.input(1), 4);
  const std::int64_t channels = op.input(0).shape[3];
  const Shape& w = op.input(1).shape;
  if (w[0] != 1 || channels < 1 || w[3] % channels != 0) {
    op.fail("weights \"" + op.input(1).name + "\"", "shape " + to_string(w),
            "1 x height x width x a multiple of " + std::to_string(channels));
  }
  Conv2dOp conv = windowed(op, or_defaults(op.table().builtin_options_as_DepthwiseOptions()));
  conv.groups = channels;
  const TensorId x = op.use(0);
  const TensorId weights = op.builder().depthwise_weights(op.op().inputs[1], op.op().place);
  op.add_node(conv, {x, weights, op.use(2)});
}

/// A constant must agree with the declared output shape; a graph input takes it as the only value it may
/// have.
void check_output_shape_operand(OperatorContext& op) {
  const auto constant = op.constant(0);
  const std::string subject = "output shape \"" + op.input(0).name + "\"";
  const Shape& declared = op.output().shape;
  if (constant) {
    if (constant->values != declared)
      op.fail(subject, to_string(constant->values), to_string(declared) + " as declared");
    return;
  }
  if (std::ranges::count(op.builder().model().inputs, op.op().inputs[0]) == 0) {
    op.fail(subject, "a shape computed at run time", "a constant or a graph input",
            "convert the model with fixed shapes");
  }
  Tensor& tensor = op.builder().graph().tensor(op.use(0));
  if (tensor.type != ElementType::i32 || tensor.shape != Shape{4}) {
    op.fail(subject, std::string(element_type_name(tensor.type)) + " of shape " + to_string(tensor.shape),
            "I32 of shape 4");
  }
  TensorData required(ElementType::i32, {4});
  for (std::size_t d = 0; d < declared.size(); ++d) required.set(static_cast<std::int64_t>(d), declared[d]);
  if (tensor.required_value && tensor.required_value->bytes != required.bytes) {
    op.fail(subject, "a graph input that gives two different shapes", "one shape");
  }
  tensor.required_value = std::move(required);
}

/// Operands: output shape, weights, x, bias. TFLite pads as the forward convolution from y to x would.
void read_transpose_conv(OperatorContext& op) {
  op.expect_inputs(3, 4);
  const ModelTensor& x = op.input(2);
  if (x.type != op.output().type)
    op.fail("tensor \"" + x.name + "\"", type_name(x.type), type_name(op.output().type) + " as the output's");
  op.expect_same_type(0);
  check_weights(op, 0, false);
  op.expect_rank(x, 4);
  op.expect_rank(op.input(1), 4);
  op.expect_rank(op.output(), 4);
  check_output_shape_operand(op);
  const Shape& w = op.input(1).shape;
  const Shape& y = op.output().shape;
  const auto& options = or_defaults(op.table().builtin_options_as_TransposedConvolutionOptions());
  TransposeConv2dOp conv;
  conv.stride_w = options.stride_w();
  conv.stride_h = options.stride_h();
  conv.activation = op.activation(options.activation());
  expect_window(op, {conv.stride_h, conv.stride_w, w[1], w[2]}, "stride or kernel");
  const bool same = op.is_same_padding(options.padding());
  conv.pad_top = padding_sizes(same, y[1], w[1], conv.stride_h).before;
  conv.pad_left = padding_sizes(same, y[2], w[2], conv.stride_w).before;
  op.add_node(conv, {op.use(2), op.use(1), op.use(3)});
}

void read_fully_connected(OperatorContext& op) {
  op.expect_inputs(2, 3);
  op.expect_same_type(1);
  check_weights(op, 0, true);
  const auto& options = or_defaults(op.table().builtin_options_as_FullyConnectedOptions());
  const int format{options.weights_format()};
  if (format != 0) op.fail("weights format", std::to_string(format), "0, the default layout");
  op.add_node(FullyConnectedOp{op.activation(options.activation())}, {op.use(0), op.use(1), op.use(2)});
}

/// The first operand with its last two dimensions exchanged, by a node of its own.
TensorId turn_matrices(OperatorContext& op) {
  const std::size_t rank = op.input(0).shape.size();
  if (rank < 2) op.fail("adj_x", "an operand of rank " + std::to_string(rank), "at least 2");
  Graph& graph = op.builder().graph();
  const TensorId from = op.use(0);
  Tensor turned = graph.tensor(from);
  if (turned.data) op.fail("adj_x", "a constant operand", "an activation", "store the constant transposed");
  turned.name = op.output().name + "#adjoint";
  std::swap(turned.shape[rank - 2], turned.shape[rank - 1]);
  TransposeOp transpose;
  for (std::size_t d = 0; d < rank; ++d) transpose.permutation.push_back(static_cast<int>(d));
  std::swap(transpose.permutation[rank - 2], transpose.permutation[rank - 1]);
  const auto to = static_cast<TensorId>(graph.tensors.size());
  const std::string name = turned.name;
  graph.tensors.push_back(std::move(turned));
  graph.nodes.push_back({name, op.op().place, std::move(transpose), {from}, {to}});
  return to;
}

void read_batch_matmul(OperatorContext& op) {
  op.expect_inputs(2, 2);
  op.expect_same_type(2);
  const auto& options = or_defaults(op.table().builtin_options_as_BatchProductOptions());
  const TensorId a = options.adj_x() ? turn_matrices(op) : op.use(0);
  op.add_node(MatMulOp{options.adj_y()}, {a, op.use(1)});
}

}  // namespace

std::span<const OperatorRow> mac_operators() {
  static constexpr OperatorRow kRows[] = {
      {.code = 3, .name = "CONV_2D", .read = read_conv},
      {.code = 4, .name = "DEPTHWISE_CONV_2D", .read = read_depthwise},
      {.code = 9, .name = "FULLY_CONNECTED", .read = read_fully_connected},
      {.code = 67, .name = "TRANSPOSE_CONV", .read = read_transpose_conv},
      {.code = 126, .name = "BATCH_MATMUL", .read = read_batch_matmul},
  };
  return kRows;
}

}  // namespace qsim::tflite
