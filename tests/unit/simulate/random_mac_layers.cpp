// Layers of the MAC array.
#include "tests/unit/simulate/random_layers.h"

#include <algorithm>

namespace qsim::test {

TensorId RandomLayers::weights(const Shape& dims, std::int64_t channels) {
  Quantization q;
  q.bits = static_cast<int>(choice_.of({8, 8, 4, 3, 2, 7}));
  if (choice_.chance(50)) {
    q.axis = 0;
    q.scales.clear();
    for (std::int64_t i = 0; i < channels; ++i) q.scales.push_back(choice_.scale());
  } else {
    q.scales = {choice_.scale()};
  }
  q.zero_points.assign(q.scales.size(), 0);
  if (activation_bits_ == 8 && choice_.chance(20)) {
    std::fill(q.zero_points.begin(), q.zero_points.end(),
              static_cast<std::int32_t>(choice_.between(q.format().min(), q.format().max())));
  }
  const TensorId id = add_tensor({"w" + std::to_string(graph().tensors.size()),
                                  dims,
                                  smallest_element_type(q.bits, true),
                                  q,
                                  {},
                                  {},
                                  {}});
  graph().tensor(id).data = random_values(id);
  return id;
}

TensorId RandomLayers::bias(TensorId input, TensorId weight, std::int64_t channels) {
  if (choice_.chance(30)) return kNoTensor;
  Quantization q;
  q.bits = 32;
  q.axis = graph().tensor(weight).quantization->scales.size() > 1 ? 0 : -1;
  q.scales.clear();
  for (const float s : graph().tensor(weight).quantization->scales) {
    q.scales.push_back(s * graph().tensor(input).quantization->scale());
  }
  q.zero_points.assign(q.scales.size(), 0);
  TensorData data(ElementType::i32, {channels});
  for (std::int64_t i = 0; i < channels; ++i) data.set(i, choice_.between(-5000, 5000));
  return add_tensor(
      {"b" + std::to_string(graph().tensors.size()), {channels}, ElementType::i32, q, data, {}, {}});
}

TensorId RandomLayers::convolve(TensorId x, std::int64_t groups, std::int64_t channels) {
  const Shape in = shape(x);
  Conv2dOp op;
  op.groups = groups;
  const std::int64_t kh = choice_.between(1, most_kernel_);
  const std::int64_t kw = choice_.between(1, most_kernel_);
  op.stride_h = choice_.between(1, 2);
  op.stride_w = choice_.between(1, 2);
  op.dilation_h = choice_.chance(20) ? 2 : 1;
  const std::int64_t most_padding = choice_.of({0, 2, 2});
  op.pad_top = choice_.between(0, most_padding);
  op.pad_bottom = choice_.between(0, most_padding);
  op.pad_left = choice_.between(0, most_padding);
  op.pad_right = choice_.between(0, most_padding);
  op.activation = choice_.chance(30) ? Activation::relu : Activation::none;
  const std::int64_t span_h = (kh - 1) * op.dilation_h + 1;
  op.pad_bottom += std::max<std::int64_t>(0, span_h - in[1] - op.pad_top - op.pad_bottom);
  op.pad_right += std::max<std::int64_t>(0, kw - in[2] - op.pad_left - op.pad_right);
  const std::int64_t oh = (in[1] + op.pad_top + op.pad_bottom - span_h) / op.stride_h + 1;
  const std::int64_t ow = (in[2] + op.pad_left + op.pad_right - kw) / op.stride_w + 1;
  const TensorId w = weights({channels, kh, kw, in[3] / op.groups}, channels);
  return add_node(op, {x, w, bias(x, w, channels)}, activation("conv", {in[0], oh, ow, channels}));
}

TensorId RandomLayers::convolution(TensorId x) {
  const std::int64_t inputs = shape(x)[3];
  if (choice_.chance(30)) return depthwise(x);
  if (inputs % 2 == 0 && choice_.chance(20)) return convolve(x, 2, 2 * choice_.between(1, 10));
  return convolve(x, 1, choice_.between(1, 24));
}

TensorId RandomLayers::strided_convolution(TensorId x) {
  const Shape in = shape(x);
  Conv2dOp op;
  const std::int64_t kh = choice_.between(1, 3);
  const std::int64_t kw = choice_.between(1, 3);
  op.stride_h = choice_.between(1, 4);
  op.stride_w = choice_.between(1, 4);
  op.dilation_h = choice_.between(1, 3);
  op.dilation_w = choice_.between(1, 3);
  op.pad_top = op.pad_bottom = choice_.between(0, 3);
  op.pad_left = op.pad_right = choice_.between(0, 3);
  const std::int64_t span_h = (kh - 1) * op.dilation_h + 1;
  const std::int64_t span_w = (kw - 1) * op.dilation_w + 1;
  op.pad_bottom += std::max<std::int64_t>(0, span_h - in[1] - op.pad_top - op.pad_bottom);
  op.pad_right += std::max<std::int64_t>(0, span_w - in[2] - op.pad_left - op.pad_right);
  const std::int64_t oh = (in[1] + op.pad_top + op.pad_bottom - span_h) / op.stride_h + 1;
  const std::int64_t ow = (in[2] + op.pad_left + op.pad_right - span_w) / op.stride_w + 1;
  const std::int64_t channels = choice_.between(1, 30);
  const TensorId w = weights({channels, kh, kw, in[3]}, channels);
  return add_node(op, {x, w, bias(x, w, channels)}, activation("conv", {in[0], oh, ow, channels}));
}

TensorId RandomLayers::depthwise(TensorId x) {
  const std::int64_t inputs = shape(x)[3];
  return convolve(x, inputs, inputs * choice_.between(1, 2));
}

TensorId RandomLayers::transposed_convolution(TensorId x) {
  const Shape in = shape(x);
  TransposeConv2dOp op;
  op.stride_h = choice_.between(1, 2);
  op.stride_w = choice_.between(1, 2);
  const std::int64_t kh = choice_.between(1, 3);
  const std::int64_t kw = choice_.between(1, 3);
  op.pad_top = choice_.between(0, kh - 1);
  op.pad_left = choice_.between(0, kw - 1);
  const std::int64_t channels = choice_.between(1, 12);
  const std::int64_t oh = std::max<std::int64_t>(1, (in[1] - 1) * op.stride_h + kh - 2 * op.pad_top);
  const std::int64_t ow = std::max<std::int64_t>(1, (in[2] - 1) * op.stride_w + kw - 2 * op.pad_left);
  const TensorId w = weights({channels, kh, kw, in[3]}, channels);
  return add_node(op, {x, w, bias(x, w, channels)}, activation("up", {in[0], oh, ow, channels}));
}

TensorId RandomLayers::fully_connected(TensorId x) {
  const std::int64_t depth = element_count(shape(x));
  const std::int64_t channels = choice_.between(1, 40);
  const TensorId flat = add_node(ReshapeOp{}, {x}, same_grid(x, {1, depth}));
  const TensorId w = weights({channels, depth}, channels);
  const TensorId y =
      add_node(FullyConnectedOp{}, {flat, w, bias(flat, w, channels)}, activation("fc", {1, channels}));
  return add_node(ReshapeOp{}, {y}, same_grid(y, {1, 1, 1, channels}));
}

TensorId RandomLayers::matmul(TensorId x) {
  const Shape in = shape(x);
  if (choice_.chance(40)) {
    return add_node(MatMulOp{true}, {x, x}, activation("product", {in[0], in[1], in[2], in[2]}));
  }
  if (choice_.chance(50)) {
    const TensorId turned =
        add_node(TransposeOp{{0, 1, 3, 2}}, {x}, same_grid(x, {in[0], in[1], in[3], in[2]}));
    return add_node(MatMulOp{}, {x, turned}, activation("product", {in[0], in[1], in[2], in[2]}));
  }
  const std::int64_t size = choice_.between(1, 24);
  if (choice_.chance(50)) {
    const TensorId shared = constant_activation("matrix", {size, in[2]});
    return add_node(MatMulOp{}, {shared, x}, activation("product", {in[0], in[1], size, in[3]}));
  }
  const TensorId shared = constant_activation("matrix", {in[3], size});
  return add_node(MatMulOp{}, {x, shared}, activation("product", {in[0], in[1], in[2], size}));
}

TensorId RandomLayers::product(TensorId a, TensorId b, bool transposed) {
  const Shape in = shape(a);
  const std::int64_t outputs = shape(b)[transposed ? 2 : 3];
  return add_node(MatMulOp{transposed}, {a, b}, activation("product", {in[0], in[1], in[2], outputs}));
}

}  // namespace qsim::test
