// CONV_2D, DEPTHWISE_CONV_2D, TRANSPOSE_CONV, FULLY_CONNECTED.
#include <algorithm>
#include <cstring>

#include "workloads/graph/graph_check.h"
#include "workloads/readers/tflite/graph_builder.h"
#include "workloads/readers/tflite/padding.h"

namespace qsim::tflite {
namespace {

bool in_window_range(std::int64_t value) {
  return value >= 1 && value <= kMaxWindowAttribute;
}

}  // namespace

/// One weight scale, or one an output channel; zero points only where the kernel reads them.
void OperatorReader::check_weights(std::size_t operand, std::int32_t channel_dimension,
                                   bool zero_points_allowed) {
  const ModelTensor& w = input(operand);
  const std::string subject = "weights \"" + w.name + "\"";
  if (is_float() && w.type == TypeCode::float32) return;
  if (w.type != TypeCode::int8 && w.type != TypeCode::int4) {
    fail(subject, type_name(w.type), "INT8 or INT4", "convert the model with int8 weights");
  }
  if (w.scales.size() > 1 && w.quantized_dimension != channel_dimension) {
    fail(subject, "quantized dimension " + std::to_string(w.quantized_dimension),
         std::to_string(channel_dimension) + ", the output channels");
  }
  const bool has_zero_points =
      std::any_of(w.zero_points.begin(), w.zero_points.end(), [](auto z) { return z != 0; });
  if (has_zero_points && !(zero_points_allowed && w.scales.size() == 1)) {
    fail(subject, "weights with a zero point", "zero point 0, as TFLite defines INT8 weights");
  }
}

void OperatorReader::read_conv() {
  expect_inputs(2, 3);
  expect_same_type(1);
  check_weights(1, 0, false);
  expect_rank(input(0), 4);
  expect_rank(input(1), 4);
  const Shape& x = input(0).shape;
  const Shape& w = input(1).shape;
  Conv2dOp conv;
  conv.stride_w = option<std::int32_t>(window_field::stride_w, 0);
  conv.stride_h = option<std::int32_t>(window_field::stride_h, 0);
  conv.dilation_w = option<std::int32_t>(conv_field::dilation_w, 1);
  conv.dilation_h = option<std::int32_t>(conv_field::dilation_h, 1);
  conv.activation = activation(conv_field::activation);
  set_padding(conv, x, w);
  if (w[3] < 1 || x[3] % w[3] != 0) {
    fail("weights \"" + input(1).name + "\"", std::to_string(w[3]) + " input channels",
         "a divisor of the input's " + std::to_string(x[3]));
  }
  conv.groups = x[3] / w[3];
  add_node(conv, {use(0), use(1), use(2)});
}

void OperatorReader::set_padding(Conv2dOp& conv, const Shape& x, const Shape& w) const {
  for (const std::int64_t value :
       {conv.stride_h, conv.stride_w, conv.dilation_h, conv.dilation_w, w[1], w[2]}) {
    if (!in_window_range(value)) {
      fail("window", "stride, dilation or kernel " + std::to_string(value),
           "1 to " + std::to_string(kMaxWindowAttribute));
    }
  }
  const bool same = same_padding();
  const PaddingSizes h = padding_sizes(same, x[1], (w[1] - 1) * conv.dilation_h + 1, conv.stride_h);
  const PaddingSizes v = padding_sizes(same, x[2], (w[2] - 1) * conv.dilation_w + 1, conv.stride_w);
  conv.pad_top = h.before;
  conv.pad_bottom = h.after;
  conv.pad_left = v.before;
  conv.pad_right = v.after;
}

void OperatorReader::read_depthwise() {
  expect_inputs(2, 3);
  expect_same_type(1);
  check_weights(1, 3, false);
  expect_rank(input(0), 4);
  expect_rank(input(1), 4);
  const Shape& x = input(0).shape;
  const Shape& w = input(1).shape;
  if (w[0] != 1 || x[3] < 1 || w[3] % x[3] != 0) {
    fail("weights \"" + input(1).name + "\"", "shape " + to_string(w),
         "1 x height x width x a multiple of " + std::to_string(x[3]));
  }
  Conv2dOp conv;
  conv.stride_w = option<std::int32_t>(window_field::stride_w, 0);
  conv.stride_h = option<std::int32_t>(window_field::stride_h, 0);
  conv.dilation_w = option<std::int32_t>(depthwise_field::dilation_w, 1);
  conv.dilation_h = option<std::int32_t>(depthwise_field::dilation_h, 1);
  conv.activation = activation(depthwise_field::activation);
  conv.groups = x[3];
  set_padding(conv, x, w);
  add_node(conv, {use(0), canonical_depthwise_weights(), use(2)});
}

/// [1, KH, KW, N] of the file becomes [N, KH, KW, 1], a copy under a name of its own where others use the
/// tensor.
TensorId OperatorReader::canonical_depthwise_weights() {
  const std::int32_t index = op_.inputs[1];
  const auto known = builder_.depthwise_weights_.find(index);
  if (known != builder_.depthwise_weights_.end()) return known->second;
  Tensor tensor = builder_.make_tensor(input(1), op_.place);
  if (!tensor.data) fail("weights \"" + tensor.name + "\"", "a tensor computed by the network", "a constant");
  const bool shared = builder_.ids_.count(index) != 0;
  const std::int64_t outputs = tensor.shape[3];
  const std::int64_t taps = tensor.shape[1] * tensor.shape[2];
  TensorData turned(tensor.type, {outputs, tensor.shape[1], tensor.shape[2], 1});
  const std::size_t size = element_size_bytes(tensor.type);
  for (std::int64_t n = 0; n < outputs; ++n) {
    for (std::int64_t t = 0; t < taps; ++t) {
      std::memcpy(turned.bytes.data() + static_cast<std::size_t>(n * taps + t) * size,
                  tensor.data->bytes.data() + static_cast<std::size_t>(t * outputs + n) * size, size);
    }
  }
  tensor.shape = turned.shape;
  tensor.data = std::move(turned);
  if (tensor.quantization && tensor.quantization->axis >= 0) tensor.quantization->axis = 0;
  if (shared) tensor.name += "#depthwise";
  const auto id = static_cast<TensorId>(builder_.graph_.tensors.size());
  builder_.graph_.tensors.push_back(std::move(tensor));
  builder_.depthwise_weights_[index] = id;
  return id;
}

/// Operands: output shape, weights, x, bias. TFLite pads as the forward convolution from y to x would.
void OperatorReader::read_transpose_conv() {
  expect_inputs(3, 4);
  const ModelTensor& x = input(2);
  if (x.type != output().type)
    fail("tensor \"" + x.name + "\"", type_name(x.type), type_name(output().type) + " as the output's");
  expect_same_type(0);
  check_weights(1, 0, false);
  expect_rank(x, 4);
  expect_rank(input(1), 4);
  expect_rank(output(), 4);
  check_output_shape_operand();
  const Shape& w = input(1).shape;
  const Shape& y = output().shape;
  TransposeConv2dOp conv;
  conv.stride_w = option<std::int32_t>(window_field::stride_w, 0);
  conv.stride_h = option<std::int32_t>(window_field::stride_h, 0);
  conv.activation = activation(transpose_conv_field::activation);
  for (const std::int64_t value : {conv.stride_h, conv.stride_w, w[1], w[2]}) {
    if (!in_window_range(value)) {
      fail("window", "stride or kernel " + std::to_string(value),
           "1 to " + std::to_string(kMaxWindowAttribute));
    }
  }
  const bool same = same_padding();
  conv.pad_top = padding_sizes(same, y[1], w[1], conv.stride_h).before;
  conv.pad_left = padding_sizes(same, y[2], w[2], conv.stride_w).before;
  add_node(conv, {use(2), use(1), use(3)});
}

/// A constant must agree with the declared output shape; a graph input takes it as the only value it may
/// have.
void OperatorReader::check_output_shape_operand() {
  const auto constant = builder_.index_constant(op_.inputs[0], op_.place);
  const std::string subject = "output shape \"" + input(0).name + "\"";
  const Shape& declared = output().shape;
  if (constant) {
    if (constant->values != declared)
      fail(subject, to_string(constant->values), to_string(declared) + " as declared");
    return;
  }
  const auto& inputs = builder_.model_.inputs;
  if (std::find(inputs.begin(), inputs.end(), op_.inputs[0]) == inputs.end()) {
    fail(subject, "a shape computed at run time", "a constant or a graph input",
         "convert the model with fixed shapes");
  }
  Tensor& tensor = builder_.graph_.tensor(use(0));
  if (tensor.type != ElementType::i32 || tensor.shape != Shape{4}) {
    fail(subject, std::string(element_type_name(tensor.type)) + " of shape " + to_string(tensor.shape),
         "I32 of shape 4");
  }
  TensorData required(ElementType::i32, {4});
  for (std::size_t d = 0; d < declared.size(); ++d) required.set(static_cast<std::int64_t>(d), declared[d]);
  if (tensor.required_value && tensor.required_value->bytes != required.bytes) {
    fail(subject, "a graph input that gives two different shapes", "one shape");
  }
  tensor.required_value = std::move(required);
}

void OperatorReader::read_fully_connected() {
  expect_inputs(2, 3);
  expect_same_type(1);
  check_weights(1, 0, true);
  const int format{option<std::int8_t>(fully_connected_field::weights_format, 0)};
  if (format != 0) fail("weights format", std::to_string(format), "0, the default layout");
  add_node(FullyConnectedOp{activation(fully_connected_field::activation)}, {use(0), use(1), use(2)});
}

}  // namespace qsim::tflite
