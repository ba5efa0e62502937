// Conv, ConvTranspose, Gemm, MatMul.
#include <algorithm>
#include <cmath>

#include "workloads/graph/graph_check.h"
#include "workloads/readers/onnx/operator_reader.h"

namespace qsim::onnx_format {
namespace {

/// Weights [in, out / groups, kernel ...] as [out, kernel_h, kernel_w, in].
DimensionOrder transposed_weight_order(std::size_t rank) {
  if (rank == 3) return {{3, 0, 2}, 4};
  return {{3, 0, 1, 2}, 4};
}

}  // namespace

void OperatorReader::expect_spatial() {
  const std::size_t rank = shape(0).size();
  if (rank != 3 && rank != 4) {
    fail("input \"" + operand(0).value + "\"", "shape " + to_string(shape(0)),
         "[batch, channels, length] or [batch, channels, height, width]");
  }
}

/// b'[n] of an integer operator is int32 at scale s_x * s_w[n]; a float one is rounded to it as ONNX Runtime
/// does when it quantizes biases: rne(b / (s_x * s_w)).
TensorId OperatorReader::bias(std::size_t index, std::int64_t channels, const Operand& x, const Operand& w) {
  if (!has(index)) return kNoTensor;
  const std::string& value = operand(index).value;
  const OnnxTensor* given = builder_.constant(value);
  if (given == nullptr)
    fail("bias \"" + value + "\"", "a tensor computed at run time", "a constant",
         builder_.constant_remedy(value));
  const bool repeats = given->size() == 1 && channels != 1;
  const bool is_row = given->shape.empty() || given->shape.back() == given->size();
  if ((given->size() != channels && !repeats) || !is_row)
    fail("bias \"" + value + "\"", "shape " + to_string(given->shape),
         std::to_string(channels) + " elements");
  if (is_float() && given->type != OnnxType::float32)
    fail("bias \"" + value + "\"", onnx_type_name(given->type), "FLOAT");
  if (!is_float() && given->type != OnnxType::float32 && given->type != OnnxType::int32)
    fail("bias \"" + value + "\"", onnx_type_name(given->type), "INT32");
  OnnxTensor bias = make_onnx_tensor(is_float() ? OnnxType::float32 : OnnxType::int32, {channels});
  std::optional<Quantization> quantization;
  if (!is_float()) {
    quantization.emplace();
    quantization->bits = 32;
    quantization->scales.clear();
    for (const float scale : w.quantization->scales)
      quantization->scales.push_back(x.quantization->scale() * scale);
    quantization->zero_points = {0};
    if (quantization->scales.size() > 1) quantization->axis = 0;
  }
  for (std::int64_t n = 0; n < channels; ++n) {
    const std::int64_t from = repeats ? 0 : n;
    if (is_float()) {
      bias.put<float>(n, given->get<float>(from));
    } else if (given->type == OnnxType::int32) {
      bias.put<std::int32_t>(n, given->get<std::int32_t>(from));
    } else {
      const float scaled = std::nearbyint(given->get<float>(from) / quantization->scale(n));
      constexpr float kLimit = 2147483648.0F;
      if (!(std::fabs(scaled) < kLimit))
        fail("bias \"" + value + "\"", std::to_string(given->get<float>(from)),
             "a number that 32 bits hold at the scales");
      bias.put<std::int32_t>(n, static_cast<std::int32_t>(scaled));
    }
  }
  return builder_.constant_tensor(value, bias, DimensionOrder::plain(1), quantization);
}

std::string OperatorReader::constant_weights() const {
  const std::string& value = operand(1).value;
  if (!is_constant(1))
    fail("weights \"" + value + "\"", "a tensor computed at run time", "a constant",
         builder_.constant_remedy(value));
  return "weights \"" + value + "\"";
}

std::vector<std::int64_t> OperatorReader::kernel_sizes() const {
  const Shape& w = shape(1);
  const std::vector<std::int64_t> kernel(w.begin() + 2, w.end());
  const auto stated = attributes_.integers("kernel_shape");
  if (stated && *stated != kernel)
    fail("attribute kernel_shape", to_string(*stated), to_string(kernel) + ", as the weights have");
  return kernel;
}

void OperatorReader::expect_scales_along(std::int64_t axis) const {
  const auto& scales = operand(1).quantization;
  if (scales && scales->scales.size() > 1 && scales->axis != axis)
    fail("weights \"" + operand(1).value + "\"", "scales along axis " + std::to_string(scales->axis),
         "axis " + std::to_string(axis) + ", the output channels");
}

void OperatorReader::read_conv() {
  expect_inputs(2, 3);
  expect_spatial();
  const Shape& x = shape(0);
  const Shape& w = shape(1);
  const std::string weights = constant_weights();
  if (w.size() != x.size())
    fail(weights, "shape " + to_string(w), std::to_string(x.size()) + " dimensions, as the input has");
  const std::int64_t groups = attributes_.integer("group", 1);
  if (groups < 1 || x[1] % groups != 0 || w[0] % groups != 0 || w[1] != x[1] / groups) {
    fail(weights, "shape " + to_string(w) + " in " + std::to_string(groups) + " groups",
         std::to_string(x[1]) + " input channels / groups, and groups that divide the channels");
  }
  const std::vector<std::int64_t> kernel = kernel_sizes();
  const Window window = this->window(kernel, false);
  expect_scales_along(0);
  const Conv2dOp conv{window.stride_h, window.stride_w,   window.dilation_h, window.dilation_w,
                      window.pad_top,  window.pad_bottom, window.pad_left,   window.pad_right,
                      groups,          activation_};
  const DimensionOrder order = DimensionOrder::channels_last(x.size());
  Shape y{x[0], w[0]};
  y.insert(y.end(), window.output.begin(), window.output.end());
  const TensorId input = windowed_input(window, order);
  emit(conv, {input, tensor(1, order), bias(2, w[0], operand(0), operand(1))}, y, order);
}

void OperatorReader::read_conv_transpose() {
  expect_inputs(2, 3);
  expect_spatial();
  const Shape& x = shape(0);
  const Shape& w = shape(1);
  const std::string weights = constant_weights();
  if (w.size() != x.size() || w[0] != x[1])
    fail(weights, "shape " + to_string(w),
         "[" + std::to_string(x[1]) + ", outputs, kernel], as many dimensions as the input has");
  const std::int64_t groups = attributes_.integer("group", 1);
  if (groups != 1)
    fail("attribute group", std::to_string(groups), "1", "split the transposed convolution into one a group");
  const std::vector<std::int64_t> kernel = kernel_sizes();
  const std::size_t dimensions = kernel.size();
  const auto values = [&](const char* name, std::size_t count, std::int64_t fallback) {
    std::vector<std::int64_t> list =
        attributes_.integers(name).value_or(std::vector<std::int64_t>(count, fallback));
    const bool fits =
        std::all_of(list.begin(), list.end(), [](auto v) { return v >= 0 && v <= kMaxWindowAttribute; });
    if (list.size() != count || !fits)
      fail(std::string("attribute ") + name, to_string(list),
           std::to_string(count) + " values of 0 to " + std::to_string(kMaxWindowAttribute));
    return list;
  };
  const std::vector<std::int64_t> strides = values("strides", dimensions, 1);
  const std::vector<std::int64_t> dilations = values("dilations", dimensions, 1);
  const std::vector<std::int64_t> output_padding = values("output_padding", dimensions, 0);
  std::vector<std::int64_t> pads = values("pads", 2 * dimensions, 0);
  const std::string auto_pad = attributes_.text("auto_pad", "NOTSET");
  const auto output_shape = attributes_.integers("output_shape");
  if (std::any_of(dilations.begin(), dilations.end(), [](auto d) { return d != 1; }))
    fail("attribute dilations", to_string(dilations), "1", "write the zeros into the kernel");
  Shape y{x[0], w[1]};
  for (std::size_t d = 0; d < dimensions; ++d) {
    if (strides[d] < 1) fail("attribute strides", std::to_string(strides[d]), "1 or more");
    const std::int64_t full = strides[d] * (x[d + 2] - 1) + output_padding[d] + kernel[d];
    std::int64_t size = full - pads[d] - pads[d + dimensions];
    if (output_shape || auto_pad == "SAME_UPPER" || auto_pad == "SAME_LOWER") {
      if (output_shape && output_shape->size() != dimensions)
        fail("attribute output_shape", to_string(*output_shape), std::to_string(dimensions) + " sizes");
      size = output_shape ? (*output_shape)[d] : std::min(x[d + 2] * strides[d], full);
      const std::int64_t total = std::max<std::int64_t>(full - size, 0);
      // The larger half lies at the end for SAME_UPPER alone: as ONNX Runtime has it, the other way round
      // than the operator's documentation.
      pads[d] = auto_pad == "SAME_UPPER" ? total / 2 : total - total / 2;
    }
    if (size < 1) fail("output", "size " + std::to_string(size), "1 or more");
    y.push_back(size);
  }
  const TransposeConv2dOp conv{dimensions == 2 ? strides[0] : 1, strides.back(),
                               dimensions == 2 ? pads[0] : 0, pads[dimensions - 1], activation_};
  expect_scales_along(1);
  const DimensionOrder order = DimensionOrder::channels_last(x.size());
  const TensorId input = tensor(0, order);
  const TensorId kernel_tensor = tensor(1, transposed_weight_order(w.size()));
  emit(conv, {input, kernel_tensor, bias(2, w[1], operand(0), operand(1))}, y, order);
}

/// y = alpha * op(a) op(b) + beta * c.
void OperatorReader::read_gemm() {
  expect_inputs(2, 3);
  float alpha = attributes_.real("alpha", 1.0F);
  const float beta = attributes_.real("beta", 1.0F);
  const bool transposes_a = attributes_.flag("transA", false);
  const bool transposes_b = attributes_.flag("transB", false);
  const Shape& a = shape(0);
  const Shape& b = shape(1);
  if (a.size() != 2 || b.size() != 2)
    fail("inputs", "shapes " + to_string(a) + " and " + to_string(b), "two matrices");
  if (node_.op_type == "QGemm" && alpha > 0.0F) {
    // ONNX Runtime multiplies (alpha * s_a) * s_b / s_y, each product rounded: the first operand's scale is
    // the first product.
    operands_.front().quantization->scales.front() *= alpha;
    alpha = 1.0F;
  }
  const bool scales_constants = is_float() && is_constant(1);
  if (!scales_constants && (alpha != 1.0F || (beta != 1.0F && has(2))))
    fail("attributes alpha and beta", std::to_string(alpha) + " and " + std::to_string(beta), "1 and 1",
         "multiply the constants by them");
  const std::int64_t rows = a[transposes_a ? 1 : 0];
  const std::int64_t depth = a[transposes_a ? 0 : 1];
  const std::int64_t outputs = b[transposes_b ? 0 : 1];
  if (b[transposes_b ? 1 : 0] != depth)
    fail("inputs", "shapes " + to_string(a) + " and " + to_string(b),
         "an inner dimension of " + std::to_string(depth));
  TensorId left = tensor(0, DimensionOrder::plain(2));
  if (transposes_a) {
    const Tensor given = builder_.graph().tensor(left);
    Node node = new_node(TransposeOp{{1, 0}}, {left});
    node.name += "#transpose";
    left = builder_.add_tensor(given.name + "#transpose", given.type, {rows, depth}, given.quantization);
    node.outputs = {left};
    builder_.add_node(std::move(node));
  }
  if (!is_constant(1)) {
    if (has(2))
      fail("input C", "a product of two activations with a summand", "no summand", "add it with Add");
    const TensorId right = tensor(1, DimensionOrder::plain(2));
    return emit(MatMulOp{transposes_b}, {left, right}, {rows, outputs}, DimensionOrder::plain(2));
  }
  expect_scales_along(transposes_b ? 0 : 1);
  const DimensionOrder order = transposes_b ? DimensionOrder::plain(2) : DimensionOrder{{1, 0}, 2};
  const TensorId weights = alpha == 1.0F ? tensor(1, order) : scaled_constant(1, alpha, order);
  const TensorId summand = bias(2, outputs, operand(0), operand(1));
  if (summand != kNoTensor && beta != 1.0F) {
    for (float& value : builder_.graph().tensor(summand).data->as<float>()) value *= beta;
  }
  emit(FullyConnectedOp{activation_}, {left, weights, summand}, {rows, outputs}, DimensionOrder::plain(2));
}

/// A constant of floats times `factor`.
TensorId OperatorReader::scaled_constant(std::size_t index, float factor, const DimensionOrder& order) {
  OnnxTensor scaled = *builder_.constant(operand(index).value);
  if (scaled.type != OnnxType::float32)
    fail("weights \"" + operand(index).value + "\"", onnx_type_name(scaled.type), "FLOAT");
  for (std::int64_t i = 0; i < scaled.size(); ++i) scaled.put<float>(i, scaled.get<float>(i) * factor);
  return builder_.constant_tensor(operand(index).value, scaled, order, std::nullopt);
}

void OperatorReader::read_matmul() {
  expect_inputs(2, 2);
  const Shape& a = shape(0);
  const Shape& b = shape(1);
  if (a.size() < 2 || b.size() < 2)
    fail("inputs", "shapes " + to_string(a) + " and " + to_string(b), "two or more dimensions",
         "unsqueeze the vector");
  if (a.back() != b[b.size() - 2])
    fail("inputs", "shapes " + to_string(a) + " and " + to_string(b),
         "an inner dimension of " + std::to_string(a.back()));
  const bool is_matrix = b.size() == 2;
  if (is_constant(1) && is_matrix) return read_matmul_constant();
  read_matmul_activations();
}

void OperatorReader::read_matmul_constant() {
  Shape y = shape(0);
  y.back() = shape(1).back();
  expect_scales_along(1);
  const DimensionOrder order = DimensionOrder::plain(y.size());
  const TensorId left = tensor(0, order);
  emit(FullyConnectedOp{activation_}, {left, tensor(1, {{1, 0}, 2}), kNoTensor}, y, order);
}

void OperatorReader::read_matmul_activations() {
  const Shape& a = shape(0);
  const Shape& b = shape(1);
  const auto leading = broadcast_shape(Shape(a.begin(), a.end() - 2), Shape(b.begin(), b.end() - 2));
  if (!leading)
    fail("inputs", "shapes " + to_string(a) + " and " + to_string(b), "leading dimensions that broadcast");
  Shape y = *leading;
  y.push_back(a[a.size() - 2]);
  y.push_back(b.back());
  const TensorId left = tensor(0, DimensionOrder::plain(a.size()));
  const TensorId right = tensor(1, DimensionOrder::plain(b.size()));
  emit(MatMulOp{false}, {left, right}, y, DimensionOrder::plain(y.size()));
}

}  // namespace qsim::onnx_format
