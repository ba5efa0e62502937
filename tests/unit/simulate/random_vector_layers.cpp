// Layers of the vector unit.
#include "tests/unit/simulate/random_layers.h"

#include <algorithm>

namespace qsim::test {

TensorId RandomLayers::pool(TensorId x) {
  const Shape in = shape(x);
  Pool2dOp op;
  op.kind = choice_.chance(50) ? PoolKind::max : PoolKind::average;
  op.kernel_h = choice_.between(1, std::min<std::int64_t>(3, in[1]));
  op.kernel_w = choice_.between(1, std::min<std::int64_t>(3, in[2]));
  op.stride_h = choice_.between(1, 2);
  op.stride_w = choice_.between(1, 2);
  op.pad_top = op.kernel_h > 1 ? choice_.between(0, 1) : 0;
  op.pad_left = op.kernel_w > 1 ? choice_.between(0, 1) : 0;
  op.count_include_pad = is_onnx() && op.kind == PoolKind::average && choice_.chance(50);
  const std::int64_t oh = (in[1] + op.pad_top - op.kernel_h) / op.stride_h + 1;
  const std::int64_t ow = (in[2] + op.pad_left - op.kernel_w) / op.stride_w + 1;
  return add_node(op, {x}, same_grid(x, {in[0], oh, ow, in[3]}));
}

TensorId RandomLayers::global_pool(TensorId x) {
  const Shape in = shape(x);
  Pool2dOp op;
  op.kind = PoolKind::average;
  op.kernel_h = op.stride_h = in[1];
  op.kernel_w = op.stride_w = in[2];
  return add_node(op, {x}, activation("pooled", {in[0], 1, 1, in[3]}));
}

TensorId RandomLayers::mean(TensorId x) {
  const Shape in = shape(x);
  return add_node(MeanOp{{1, 2}, true}, {x}, activation("mean", {in[0], 1, 1, in[3]}));
}

TensorId RandomLayers::binary(TensorId x) {
  const Shape dims = shape(x);
  const auto kind = choice_.of({BinaryKind::add, BinaryKind::sub, BinaryKind::mul});
  TensorId other = x;
  if (choice_.chance(50)) {
    other = activation("constant", choice_.chance(50) ? dims : Shape{1, 1, 1, dims[3]});
    graph().tensor(other).data = random_values(other);
  }
  return add_node(BinaryOp{kind, Activation::none}, {x, other}, activation("sum", dims));
}

TensorId RandomLayers::sum(TensorId a, TensorId b) {
  return add_node(BinaryOp{BinaryKind::add, Activation::none}, {a, b}, activation("sum", shape(a)));
}

TensorId RandomLayers::extremum(TensorId x) {
  const auto kind = choice_.of({BinaryKind::min, BinaryKind::max});
  const TensorId other = same_grid(x, {1, 1, 1, shape(x)[3]});
  graph().tensor(other).data = random_values(other);
  return add_node(BinaryOp{kind}, {x, other}, same_grid(x, shape(x)));
}

TensorId RandomLayers::prelu(TensorId x) {
  const TensorId slope = constant_activation("slope", {1, 1, 1, shape(x)[3]});
  return add_node(PReluOp{}, {x, slope}, activation("prelu", shape(x)));
}

TensorId RandomLayers::softmax(TensorId x) {
  const TensorId y = activation("softmax", shape(x));
  if (!is_onnx()) {
    const bool wide = activation_bits_ == 16;
    graph().tensor(y).quantization->scales = {wide ? 1.0F / 32768.0F : 1.0F / 256.0F};
    graph().tensor(y).quantization->zero_points = {wide ? 0 : -128};
  }
  return add_node(SoftmaxOp{}, {x}, y);
}

TensorId RandomLayers::channel_constant(const std::string& name, std::int64_t channels) {
  TensorData data(ElementType::f32, {channels});
  for (float& value : data.as<float>()) value = choice_.scale() * 8.0F;
  return add_tensor(
      {name + std::to_string(graph().tensors.size()), {channels}, ElementType::f32, {}, data, {}, {}});
}

TensorId RandomLayers::layer_norm(TensorId x) {
  const std::int64_t channels = shape(x)[3];
  const TensorId gamma = choice_.chance(80) ? channel_constant("gamma", channels) : kNoTensor;
  const TensorId beta = choice_.chance(80) ? channel_constant("beta", channels) : kNoTensor;
  return add_node(LayerNormOp{}, {x, gamma, beta}, activation("norm", shape(x)));
}

TensorId RandomLayers::resize(TensorId x) {
  const Shape in = shape(x);
  ResizeOp op;
  op.mode = choice_.chance(50) ? ResizeMode::nearest : ResizeMode::linear;
  op.coordinates = choice_.of(
      {ResizeCoordinates::half_pixel, ResizeCoordinates::asymmetric, ResizeCoordinates::align_corners});
  op.rounding = choice_.of({ResizeRounding::floor, ResizeRounding::ceil, ResizeRounding::round_prefer_floor});
  op.blend = choice_.of({ResizeBlend::integers, ResizeBlend::integers_1024, ResizeBlend::reals});
  const Shape out{in[0], choice_.between(1, 12), choice_.between(1, 12), in[3]};
  op.scale_h = static_cast<float>(out[1]) / static_cast<float>(in[1]);
  op.scale_w = static_cast<float>(out[2]) / static_cast<float>(in[2]);
  const bool has_own_grid = op.mode == ResizeMode::linear && op.blend == ResizeBlend::reals && is_onnx();
  return add_node(op, {x}, has_own_grid ? activation("resize", out) : same_grid(x, out));
}

TensorId RandomLayers::pad(TensorId x) {
  const Shape in = shape(x);
  PadOp op;
  op.before = {0, choice_.between(0, 2), choice_.between(0, 2), 0};
  op.after = {0, choice_.between(0, 2), choice_.between(0, 2), 0};
  op.value = graph().tensor(x).quantization->zero_point();
  return add_node(
      op, {x},
      same_grid(x, {in[0], in[1] + op.before[1] + op.after[1], in[2] + op.before[2] + op.after[2], in[3]}));
}

TensorId RandomLayers::slice(TensorId x) {
  const Shape in = shape(x);
  StridedSliceOp op;
  Shape dims;
  for (std::size_t d = 0; d < 4; ++d) {
    const std::int64_t begin = choice_.between(0, in[d] - 1);
    const std::int64_t stride = choice_.between(1, 2);
    op.begin.push_back(begin);
    op.stride.push_back(stride);
    op.count.push_back((in[d] - 1 - begin) / stride + 1);
    dims.push_back(op.count.back());
  }
  return add_node(op, {x}, same_grid(x, dims));
}

TensorId RandomLayers::transpose(TensorId x) {
  const Shape in = shape(x);
  TransposeOp op;
  op.permutation = choice_.of<std::vector<int>>({{0, 2, 1, 3}, {0, 3, 1, 2}, {0, 2, 3, 1}, {0, 1, 3, 2}});
  Shape dims;
  for (const int p : op.permutation) dims.push_back(in[static_cast<std::size_t>(p)]);
  return add_node(op, {x}, same_grid(x, dims));
}

TensorId RandomLayers::concat(TensorId x) {
  const Shape in = shape(x);
  const int axis = static_cast<int>(choice_.between(1, 3));
  Shape dims = in;
  dims[static_cast<std::size_t>(axis)] *= 2;
  return add_node(ConcatOp{axis}, {x, x}, same_grid(x, dims));
}

TensorId RandomLayers::requantize(TensorId x) {
  return add_node(QuantizeOp{}, {x}, activation("requantized", shape(x)));
}

TensorId RandomLayers::leaky(TensorId x) {
  return add_node(UnaryOp{UnaryKind::leaky_relu, 0.1F}, {x}, activation("leaky", shape(x)));
}

TensorId RandomLayers::table(TensorId x) {
  UnaryOp op{choice_.of({UnaryKind::gelu, UnaryKind::gelu_tanh, UnaryKind::clip})};
  if (activation_bits_ == 8 && choice_.chance(30)) op.kind = UnaryKind::hard_swish;
  if (is_onnx() && choice_.chance(70)) {
    op.kind =
        choice_.of({UnaryKind::hard_swish, UnaryKind::logistic, UnaryKind::tanh, UnaryKind::hard_sigmoid});
    if (op.kind == UnaryKind::hard_sigmoid) op = {UnaryKind::hard_sigmoid, 0.2F, 0.5F};
  }
  if (op.kind == UnaryKind::clip) op = {UnaryKind::clip, -0.5F, 0.75F};
  return add_node(op, {x}, activation("table", shape(x)));
}

TensorId RandomLayers::element_function(TensorId x) {
  if (activation_bits_ % 8 != 0 || choice_.chance(30)) return requantize(x);
  return choice_.chance(50) ? leaky(x) : table(x);
}

TensorId RandomLayers::residual(TensorId x) {
  const Shape dims = shape(x);
  TensorId other = x;
  if (choice_.chance(20)) other = element_function(x);
  Conv2dOp op;
  op.groups = choice_.chance(25) ? dims[3] : 1;
  const std::int64_t kernel = choice_.of<std::int64_t>({1, 3});
  op.pad_top = op.pad_bottom = op.pad_left = op.pad_right = kernel / 2;
  const TensorId w = weights({dims[3], kernel, kernel, dims[3] / op.groups}, dims[3]);
  TensorId y = add_node(op, {x, w, bias(x, w, dims[3])}, activation("conv", dims));
  if (choice_.chance(30)) y = element_function(y);
  if (activation_bits_ % 8 == 0) {
    if (choice_.chance(20)) other = constant_activation("addend", dims);
    const BinaryOp add{choice_.of({BinaryKind::add, BinaryKind::add, BinaryKind::sub}), Activation::none};
    const bool is_first = choice_.chance(50);
    y = add_node(add, {is_first ? y : other, is_first ? other : y}, activation("sum", dims));
  }
  return choice_.chance(40) ? element_function(y) : y;
}

}  // namespace qsim::test
