// The network: typed operations on named tensors with quantization parameters. Nothing of the chip in it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "hw_models/arithmetic/integer_format.h"
#include "hw_models/arithmetic/rounding.h"
#include "workloads/graph/tensor.h"

namespace qsim {

/// real = scale * (q - zero_point); scale and zero point per tensor (one entry) or per slice of `axis`. White
/// paper, section 2.2.
///
/// Weights may have groups as well: `group_size` neighbouring input channels of a kernel tap share a
/// multiplier and a zero point, and
///
///   real = scale[n] * multiplier[n][g] * (q - zero_point[n][g])
///
/// for output channel n and group g, counted in the order of the channel's elements (kernel row, kernel
/// column, channel / group_size): element e of the tensor is of group e / group_size.
struct Quantization {
  int bits = 8;
  bool is_signed = true;
  std::vector<float> scales{1.0F};
  std::vector<std::int32_t> zero_points{0};
  int axis = -1;                ///< Dimension that `scales` runs along; -1 with one scale.
  std::int64_t group_size = 0;  ///< 0: no groups.
  /// One a group of the tensor, 1 to kMaxGroupMultiplier; then zero_points has one entry, or as many.
  std::vector<std::int32_t> group_multipliers = {};
  /// Of the scales that the groups were given, the largest relative distance from scale * multiplier; 0 where
  /// all of them are such multiples.
  double group_scale_error = 0.0;
  /// Block formats (workloads/graph/blocks.h): channels that share an exponent; 0: the format has none.
  /// Scales and zero points say nothing then.
  std::int64_t block_size = 0;
  /// Of weights in blocks: sums of the layer stay below 2^block_range in magnitude, as far as was seen.
  int block_range = 0;

  [[nodiscard]] arithmetic::IntegerFormat format() const { return {bits, is_signed}; }
  [[nodiscard]] bool has_groups() const { return group_size > 0; }
  /// Of a group of the tensor, counted from 0.
  [[nodiscard]] std::int32_t group_multiplier(std::int64_t group) const {
    return group_multipliers[static_cast<std::size_t>(group)];
  }
  [[nodiscard]] std::int32_t group_zero_point(std::int64_t group) const { return zero_point(group); }
  [[nodiscard]] float scale(std::int64_t channel = 0) const {
    return scales[scales.size() == 1 ? 0 : static_cast<std::size_t>(channel)];
  }
  [[nodiscard]] std::int32_t zero_point(std::int64_t channel = 0) const {
    return zero_points[zero_points.size() == 1 ? 0 : static_cast<std::size_t>(channel)];
  }
};

/// 15 bits: with weights of 16 bits a product stays in 32.
inline constexpr int kMaxGroupMultiplierBits = 15;
inline constexpr std::int32_t kMaxGroupMultiplier = (1 << kMaxGroupMultiplierBits) - 1;

using TensorId = std::int32_t;
inline constexpr TensorId kNoTensor = -1;

/// A tensor of the network. Activations are [.., channels] (channels last) in memory.
struct Tensor {
  std::string name;
  Shape shape;  ///< As the graph computes; workloads/graph/layout.h has the model's own order.
  ElementType type = ElementType::i8;
  std::optional<Quantization> quantization;  ///< Absent: a float or an index tensor.
  std::optional<TensorData> data;            ///< Present: a constant.
  /// A graph input that may have this value only (a shape operand; the declared shapes follow from it).
  std::optional<TensorData> required_value;
  /// Dimension i of the model is dimension model_axes[i] of `shape`; dimensions that it leaves out have one
  /// element. Empty: the model has the same dimensions. A model in NCHW has {0, 3, 1, 2}.
  std::vector<int> model_axes = {};

  [[nodiscard]] bool is_constant() const { return data.has_value(); }
  [[nodiscard]] bool is_float() const { return type == ElementType::f32; }
};

enum class Activation { none, relu, relu6, relu_n1_to_1 };

/// Convolution of NHWC input with weights [out_channels, kernel_h, kernel_w, in_channels / groups]; bias
/// optional. Depthwise is groups = in_channels. Explicit padding; a padded element has the value of the zero
/// point. Inputs: x, weights, bias or kNoTensor. Float activations with I8 weights of one scale and zero
/// point 0 (one group) are quantized by their own range on the way (TFLite's dynamic range), in fully
/// connected layers too.
struct Conv2dOp {
  std::int64_t stride_h = 1, stride_w = 1;
  std::int64_t dilation_h = 1, dilation_w = 1;
  std::int64_t pad_top = 0, pad_bottom = 0, pad_left = 0, pad_right = 0;
  std::int64_t groups = 1;
  Activation activation = Activation::none;
};

/// Transposed convolution, weights [out_channels, kernel_h, kernel_w, in_channels]:
/// y[iy*stride + kh - pad_top][..] += x[iy][..] * w[kh][..]. Inputs: x, weights, bias or kNoTensor.
struct TransposeConv2dOp {
  std::int64_t stride_h = 1, stride_w = 1;
  std::int64_t pad_top = 0, pad_left = 0;
  Activation activation = Activation::none;
};

/// y = x W^T + b with x viewed as [rows, depth], weights [out, depth]. Inputs: x, weights, bias or kNoTensor.
struct FullyConnectedOp {
  Activation activation = Activation::none;
};

/// y[.., M, N] = a[.., M, K] b[.., K, N] of two activations; leading dimensions are broadcast as numpy does.
/// A product with constant b is a FullyConnectedOp. Inputs: a, b.
struct MatMulOp {
  bool transpose_b = false;  ///< b is [.., N, K].
};

/// div and pow: float tensors only.
enum class BinaryKind { add, sub, mul, div, min, max, pow };
/// Element by element with numpy broadcasting. Inputs: a, b (either may be constant).
struct BinaryOp {
  BinaryKind kind = BinaryKind::add;
  Activation activation = Activation::none;
};

enum class PoolKind { max, average };
/// Pooling over H and W of NHWC. Padding is left out of maximum and sum; the average divides by the elements
/// inside the input, with count_include_pad by those inside the padded input.
struct Pool2dOp {
  PoolKind kind = PoolKind::max;
  std::int64_t kernel_h = 1, kernel_w = 1;
  std::int64_t stride_h = 1, stride_w = 1;
  std::int64_t pad_top = 0, pad_bottom = 0, pad_left = 0, pad_right = 0;
  Activation activation = Activation::none;
  bool count_include_pad = false;  ///< Average only.
};

/// Mean over `axes` (sorted, non-negative).
struct MeanOp {
  std::vector<int> axes;
  bool keep_dims = true;
};

/// Constant padding, `value` in output integers (the zero point unless the model says otherwise).
struct PadOp {
  std::vector<std::int64_t> before, after;
  std::int64_t value = 0;
  float real_value = 0.0F;  ///< Of a float tensor, in place of `value`.
};

/// Per dimension: indices begin, begin+stride, ... (count = output dimension before dropping `shrink` axes).
struct StridedSliceOp {
  std::vector<std::int64_t> begin, stride, count;
};

struct ReshapeOp {};  ///< Also squeeze, expand_dims, flatten: same elements in the same order.
struct TransposeOp {
  std::vector<int> permutation;  ///< output dimension i is input dimension permutation[i].
};
struct ConcatOp {
  int axis = 0;
};
/// Over the last dimension.
struct SoftmaxOp {
  float beta = 1.0F;
  bool logarithm = false;  ///< ln of the result. Float tensors only.
};
/// ops/unary.h has what is known of each.
enum class UnaryKind {
  logistic,
  tanh,
  leaky_relu,  ///< x >= 0 ? x : alpha x
  relu,
  relu6,
  relu_n1_to_1,
  hard_swish,    ///< x * min(max(x + 3, 0), 6) / 6
  hard_sigmoid,  ///< min(max(alpha x + beta, 0), 1)
  gelu,          ///< x / 2 * (1 + erf(x / sqrt(2)))
  gelu_tanh,     ///< x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3)))
  clip,          ///< min(max(x, alpha), beta)
  elu,           ///< x >= 0 ? x : alpha (exp(x) - 1)
  erf,
  exp,
  log,
  sqrt,
  reciprocal,
  neg,
  abs,
  floor,
  ceil,
  softplus,  ///< log(1 + exp(x))
  softsign,  ///< x / (1 + |x|)
};
struct UnaryOp {
  UnaryKind kind = UnaryKind::relu;
  float alpha = 0.0F;  ///< Slope of leaky_relu and elu, hard_sigmoid's factor, clip's lower bound.
  float beta = 0.0F;   ///< hard_sigmoid's offset, clip's upper bound.
};

/// x >= 0 ? x : slope * x. Inputs: x, slope (a constant, broadcast to x as numpy does).
struct PReluOp {};

/// y = scale * x + shift, one of each a channel (last dimension); scale = gamma / sqrt(var + epsilon),
/// shift = beta - mean * scale. Float tensors only. Inputs: x, scale, shift (constants, F32).
struct BatchNormOp {};

/// y = (x - mean) / sqrt(variance + epsilon) * gamma + beta over the last dimension. Inputs: x, gamma or
/// kNoTensor, beta or kNoTensor (constants, F32).
struct LayerNormOp {
  float epsilon = 1e-5F;
};

enum class ResizeMode { nearest, linear };
/// Where output index o lies in the input, s = output size / input size as `scale_*` say it:
/// half_pixel (o + 0.5) / s - 0.5, pytorch_half_pixel the same but 0 for an output of one element,
/// asymmetric o / s, align_corners o * (in - 1) / (out - 1), tf_half_pixel_for_nn (o + 0.5) / s.
enum class ResizeCoordinates {
  half_pixel,
  pytorch_half_pixel,
  asymmetric,
  align_corners,
  tf_half_pixel_for_nn
};
enum class ResizeRounding { floor, ceil, round_prefer_floor, round_prefer_ceil };
/// What a linear resize of integers with ONNX semantics weighs and sums, as ONNX Runtime does.
enum class ResizeBlend {
  integers,       ///< Stored integers with float32 weights, the fraction dropped: Resize of integers.
  integers_1024,  ///< Likewise with weights in 1/1024: where channels were moved last (behind a QLinearConv).
  reals,          ///< (q - zero_point) * scale in float32, then quantized: between DequantizeLinear and
                  ///< QuantizeLinear.
};
/// Resizes H and W of NHWC.
struct ResizeOp {
  ResizeMode mode = ResizeMode::nearest;
  ResizeCoordinates coordinates = ResizeCoordinates::half_pixel;
  ResizeRounding rounding = ResizeRounding::round_prefer_floor;  ///< nearest
  float scale_h = 1.0F, scale_w = 1.0F;                          ///< Output size / input size.
  ResizeBlend blend = ResizeBlend::integers;                     ///< linear, ONNX
};

struct QuantizeOp {};    ///< float -> integer, or integer -> integer at another scale (requantize).
struct DequantizeOp {};  ///< integer -> float.

/// What a DynamicQuantizeOp gives. Scale and zero point depend on the data, so that the integers are stored
/// as such (scale 1, zero point 0).
enum class DynamicResult {
  values,       ///< q, 8 unsigned bits
  scale,        ///< s, F32, one element without dimensions
  zero_point,   ///< z, 8 unsigned bits, one element without dimensions
  differences,  ///< q - z, 16 signed bits: what a product of integers sums
};
/// Quantization of a float tensor by its own range, computed by the host (ONNX DynamicQuantizeLinear):
///   s = (max(x, 0) - min(x, 0)) / 255,  z = clamp(rne(-min(x, 0) / s), 0, 255),
///   q = clamp(rne(x / s) + z, 0, 255),  rne: to nearest, halves to even. Input: x.
struct DynamicQuantizeOp {
  DynamicResult result = DynamicResult::values;
};

using Op =
    std::variant<Conv2dOp, TransposeConv2dOp, FullyConnectedOp, BinaryOp, Pool2dOp, MeanOp, PadOp,
                 StridedSliceOp, ReshapeOp, TransposeOp, ConcatOp, SoftmaxOp, UnaryOp, QuantizeOp,
                 DequantizeOp, MatMulOp, PReluOp, BatchNormOp, LayerNormOp, ResizeOp, DynamicQuantizeOp>;

/// How a node's result becomes integers where scale and zero point of its output do not say all of it, as
/// between the quantizers of QONNX.
///   on the MAC array   q = round(clamp(multipliers[n] * acc + offsets[n])), in float64, acc with its bias
///   quantize           q = round(clamp((x * multipliers[0] + offsets[0]) / scale + zero_point)), in float32;
///                      of integers as on the MAC array, acc the stored integer
///   others             their own arithmetic, then the limits
struct Requantization {
  /// One, or one a channel, of either sign; as many offsets, in output integers with the zero point in them.
  /// Empty on the MAC array: s_x * s_w[n] / s_y by the rounding profile; of a quantize: 1 and 0.
  std::vector<double> multipliers = {}, offsets = {};
  arithmetic::RoundingMode rounding = arithmetic::RoundingMode::half_even;
  std::int32_t low = 0, high = 0;  ///< Inside the output's format; a narrow range leaves out its lowest.

  [[nodiscard]] double multiplier(std::int64_t channel) const {
    return multipliers[multipliers.size() == 1 ? 0 : static_cast<std::size_t>(channel)];
  }
  [[nodiscard]] double offset(std::int64_t channel) const {
    return offsets[offsets.size() == 1 ? 0 : static_cast<std::size_t>(channel)];
  }
};

/// What a batch norm says of its output by channel (the last dimension): over the training data it is normal,
/// of mean beta and standard deviation |gamma|. White paper, sections 3.1 to 3.3.
struct ChannelDistribution {
  std::vector<double> mean = {}, deviation = {};
};

/// "conv2d", "depthwise_conv2d" is told apart by groups: see op_name(graph, node).
struct Node {
  std::string name;   ///< The model's name, or the first output tensor's.
  std::string place;  ///< Where the model file has it ("subgraph 0 operator 7 CONV_2D", "layers[3]").
  Op op;
  std::vector<TensorId> inputs;  ///< kNoTensor where an optional input is absent.
  std::vector<TensorId> outputs;
  std::optional<Requantization> requantization = {};
  /// Of a batch norm, and of a layer that one was folded into: of what it makes before its fused activation.
  /// Absent where the model does not say it; no result depends on it.
  std::optional<ChannelDistribution> distribution = {};

  /// The requantizer multiplies and adds: multipliers of the node's own.
  [[nodiscard]] bool has_affine_stage() const {
    return requantization && !requantization->multipliers.empty();
  }
};

/// Whose arithmetic pooling, add, softmax and the like follow.
enum class Semantics { onnx, tflite };

struct Graph {
  std::string name;
  std::string source;  ///< File it was read from, as given.
  Semantics semantics = Semantics::tflite;
  /// What the workload asks for; none means: by semantics and activation width (docs/workload_format.md).
  std::optional<arithmetic::RoundingProfile> rounding_profile;
  std::vector<Tensor> tensors;
  std::vector<Node> nodes;  ///< In an order in which every input is computed before it is used.
  std::vector<TensorId> inputs;
  std::vector<TensorId> outputs;
  std::vector<std::string> constant_inputs;  ///< Inputs of the model whose values were given when reading.
  std::vector<std::string> folded_nodes;     ///< Names of nodes that constant folding removed.
  std::int64_t batch = 1;  ///< Inputs that set_batch() put together: dimension 0 of every activation tensor.
  std::vector<std::string>
      provenance;  ///< What was done to the model ("weights requantized to 4 bits: ...").

  [[nodiscard]] const Tensor& tensor(TensorId id) const { return tensors[static_cast<std::size_t>(id)]; }
  [[nodiscard]] Tensor& tensor(TensorId id) { return tensors[static_cast<std::size_t>(id)]; }
};

/// "conv2d", "depthwise_conv2d", "fully_connected", "add", "max_pool2d", ...
[[nodiscard]] std::string_view op_name(const Graph& graph, const Node& node);
/// Takes and gives floats, or quantizes them by their own range: a node of a float network, or one that a
/// quantized network leaves to the host. Quantize and dequantize are not: they lie at the boundary.
[[nodiscard]] bool is_float_node(const Graph& graph, const Node& node);
/// Of a dynamic quantization's result from its input's shape, and how its integers are stored (a float scale
/// is not).
[[nodiscard]] Shape dynamic_result_shape(DynamicResult result, const Shape& input);
[[nodiscard]] std::optional<Quantization> dynamic_result_quantization(DynamicResult result);
/// Multiply-accumulates of a node: output elements x reduction length, padded taps counted; 0 for the others.
[[nodiscard]] std::int64_t mac_count(const Graph& graph, const Node& node);
/// Checks ranks, shapes, types (the activations of a node are all float or, quantize and dequantize apart,
/// all quantized), quantization parameters, dangling ids, cycles, duplicate producers and sizes that
/// overflow; throws InputError with every problem found.
void validate(const Graph& graph);

}  // namespace qsim
