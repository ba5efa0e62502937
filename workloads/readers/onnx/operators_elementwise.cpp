// Arithmetic element by element, functions of one value, normalization and softmax.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string_view>

#include "workloads/readers/onnx/operator_reader.h"

namespace qsim::onnx_format {
namespace {

/// Right-aligns a shape to `rank` dimensions, as broadcasting does.
Shape aligned(const Shape& shape, std::size_t rank) {
  Shape result(rank - shape.size(), 1);
  result.insert(result.end(), shape.begin(), shape.end());
  return result;
}

/// ONNX Runtime's loops take the operands of QLinearAdd in the other order where the first has one element
/// along the innermost dimension that is more than 1 in one of them: its sums of rounded products then round
/// differently.
bool repeats_first(const Shape& a, const Shape& b) {
  const std::size_t common = std::min(a.size(), b.size());
  for (std::size_t i = 1; i <= common; ++i) {
    const std::int64_t own = a[a.size() - i];
    const std::int64_t other = b[b.size() - i];
    if (own > 1 || other > 1 || i == common) return own == 1;
  }
  return a.empty() || a.back() == 1;
}

}  // namespace

/// A constant or an activation of fewer dimensions than the result, with ones in front.
TensorId OperatorReader::broadcast_operand(std::size_t index, const DimensionOrder& order) {
  const std::size_t rank = order.axes.size();
  const Operand& given = operand(index);
  if (shape(index).size() == rank || is_constant(index)) return tensor(index, order);
  const TensorId from = tensor(index, DimensionOrder::plain(shape(index).size()));
  const Tensor original = builder_.graph().tensor(from);
  const std::string name = original.name + "#broadcast";
  Node node = new_node(ReshapeOp{}, {from});
  node.name += "#broadcast";
  const Shape wide = aligned(shape(index), rank);
  node.outputs = {builder_.add_result({name, builder_.info(given.value).type, original.quantization}, wide,
                                      DimensionOrder::plain(rank))};
  builder_.add_node(std::move(node));
  return builder_.tensor({name, given.quantization}, order, new_node(ReshapeOp{}, {}));
}

/// Order of an element by element result: that of an operand which has all dimensions.
DimensionOrder OperatorReader::common_order(std::size_t rank) const {
  std::optional<DimensionOrder> common;
  bool differs = false;
  for (std::size_t i = 0; i < operands_.size(); ++i) {
    if (!has(i) || is_constant(i) || shape(i).size() != rank) continue;
    differs = differs || (common && *common != order(i));
    if (!common) common = order(i);
  }
  if (!common) return DimensionOrder::plain(rank);
  if (differs && builder_.wants_channels_last(results_.front().value))
    return DimensionOrder::channels_last(rank);
  return *common;
}

void OperatorReader::read_binary(BinaryKind kind) {
  expect_inputs(2, 2);
  attributes_.ignore("axis");
  attributes_.ignore("broadcast");
  const std::optional<Shape> y = broadcast_shape(shape(0), shape(1));
  if (!y) {
    fail("operands", "shapes " + to_string(shape(0)) + " and " + to_string(shape(1)),
         "equal dimensions, or 1 where one of them is repeated");
  }
  const DimensionOrder order = common_order(y->size());
  const bool turned = kind == BinaryKind::add && !is_float() && repeats_first(shape(0), shape(1));
  const TensorId first = broadcast_operand(turned ? 1 : 0, order);
  emit(BinaryOp{kind, activation_}, {first, broadcast_operand(turned ? 0 : 1, order)}, *y, order);
}

void OperatorReader::read_function() {
  expect_inputs(1, 1);
  struct Row {
    std::string_view name;
    UnaryKind kind;
  };
  constexpr std::array kRows{
      Row{"Relu", UnaryKind::relu},
      Row{"LeakyRelu", UnaryKind::leaky_relu},
      Row{"Sigmoid", UnaryKind::logistic},
      Row{"Tanh", UnaryKind::tanh},
      Row{"HardSigmoid", UnaryKind::hard_sigmoid},
      Row{"HardSwish", UnaryKind::hard_swish},
      Row{"Elu", UnaryKind::elu},
      Row{"Erf", UnaryKind::erf},
      Row{"Exp", UnaryKind::exp},
      Row{"Log", UnaryKind::log},
      Row{"Sqrt", UnaryKind::sqrt},
      Row{"Reciprocal", UnaryKind::reciprocal},
      Row{"Neg", UnaryKind::neg},
      Row{"Abs", UnaryKind::abs},
      Row{"Floor", UnaryKind::floor},
      Row{"Ceil", UnaryKind::ceil},
      Row{"Softplus", UnaryKind::softplus},
  };
  const auto* row = std::find_if(kRows.begin(), kRows.end(), [&](const Row& r) { return r.name == op_; });
  UnaryOp unary;
  unary.kind = row->kind;
  if (op_ == "LeakyRelu") unary.alpha = attributes_.real("alpha", 0.01F);
  if (op_ == "Elu") unary.alpha = attributes_.real("alpha", 1.0F);
  if (op_ == "HardSigmoid") {
    unary.alpha = attributes_.real("alpha", 0.2F);
    unary.beta = attributes_.real("beta", 0.5F);
  }
  emit(unary, {tensor(0, order(0))}, shape(0), order(0));
}

void OperatorReader::read_clip() {
  expect_inputs(1, 3);
  if (!is_group() && builder_.info(operand(0).value).type != OnnxType::float32) return read_integer_clip();
  attributes_.ignore("min");
  attributes_.ignore("max");
  const std::optional<ClipBounds> bounds = clip_bounds(builder_, node_);
  if (!bounds) fail("bounds", "tensors computed at run time or of several elements", "constant numbers");
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  UnaryOp unary{UnaryKind::clip, bounds->low, bounds->high};
  if (bounds->low == 0.0F && bounds->high == kInfinity) unary = {UnaryKind::relu};
  if (bounds->low == 0.0F && bounds->high == 6.0F) unary = {UnaryKind::relu6};
  if (bounds->low == -1.0F && bounds->high == 1.0F) unary = {UnaryKind::relu_n1_to_1};
  emit(unary, {tensor(0, order(0))}, shape(0), order(0));
}

/// Stored integers between stored bounds: real numbers between (bound - zero point) * scale.
void OperatorReader::read_integer_clip() {
  const TensorId x = tensor(0, order(0));
  const std::optional<Quantization> q = builder_.graph().tensor(x).quantization;
  const auto bound = [&](std::size_t index, const char* what, float open) {
    const std::optional<std::vector<std::int64_t>> given = indices(index, what);
    if (!given) return open;
    if (given->size() != 1 || !q)
      fail(what, std::to_string(given->size()) + " numbers", "one, of quantized integers");
    return static_cast<float>(given->front() - q->zero_point()) * q->scale();
  };
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const float low = bound(1, "min", -kInfinity);
  emit(UnaryOp{UnaryKind::clip, low, bound(2, "max", kInfinity)}, {x}, shape(0), order(0));
}

void OperatorReader::read_gelu() {
  expect_inputs(1, 1);
  const std::string approximation = attributes_.text("approximate", "none");
  if (approximation != "none" && approximation != "tanh")
    fail("attribute approximate", '"' + approximation + '"', "none or tanh");
  UnaryOp unary;
  unary.kind = approximation == "tanh" ? UnaryKind::gelu_tanh : UnaryKind::gelu;
  emit(unary, {tensor(0, order(0))}, shape(0), order(0));
}

void OperatorReader::read_prelu() {
  expect_inputs(2, 2);
  if (!is_constant(1)) fail("slope", "a tensor computed at run time", "a constant");
  const auto y = broadcast_shape(shape(0), shape(1));
  if (!y || *y != shape(0))
    fail("slope", "shape " + to_string(shape(1)), "one that broadcasts to " + to_string(shape(0)));
  const TensorId x = tensor(0, order(0));
  emit(PReluOp{}, {x, broadcast_operand(1, order(0))}, shape(0), order(0));
}

/// Over one dimension, which goes last; before opset 13 over all from `axis` on, which is the same where only
/// one of them has more than one element.
void OperatorReader::read_softmax() {
  expect_inputs(1, 1);
  const Shape& x = shape(0);
  const std::int64_t version = node_.domain.empty() ? opset() : attributes_.integer("opset", 13);
  const bool flattens = version < 13;
  std::int64_t axis =
      wrapped_axis(attributes_.integer("axis", flattens ? 1 : -1), x.size(), "attribute axis");
  if (flattens) {
    const auto rank = static_cast<std::int64_t>(x.size());
    std::int64_t long_axis = axis;
    int count = 0;
    for (std::int64_t d = axis; d < rank; ++d) {
      if (x[static_cast<std::size_t>(d)] == 1) continue;
      long_axis = d;
      ++count;
    }
    if (count > 1) return read_flat_softmax(static_cast<std::size_t>(axis));
    axis = long_axis;
  }
  DimensionOrder last = order(0);
  if (last.axes[static_cast<std::size_t>(axis)] + 1 != static_cast<int>(last.rank))
    last = DimensionOrder::axis_last(x.size(), static_cast<std::size_t>(axis));
  emit(SoftmaxOp{1.0F, op_ == "LogSoftmax"}, {tensor(0, last)}, x, last);
}

/// Before opset 13: over all dimensions from `axis` on, as rows of a matrix.
void OperatorReader::read_flat_softmax(std::size_t axis) {
  const Shape x = shape(0);
  const DimensionOrder plain = DimensionOrder::plain(x.size());
  const TensorId whole = tensor(0, plain);
  const Tensor given = builder_.graph().tensor(whole);
  const Shape before(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(axis));
  const std::int64_t rows = element_count(before);
  const Shape matrix{rows, element_count(x) / rows};
  Node flatten = new_node(ReshapeOp{}, {whole});
  flatten.name += "#rows";
  const TensorId flat = builder_.add_tensor(given.name + "#rows", given.type, matrix, given.quantization);
  flatten.outputs = {flat};
  builder_.add_node(std::move(flatten));
  Node softmax = new_node(SoftmaxOp{1.0F, op_ == "LogSoftmax"}, {flat});
  const TensorId result =
      builder_.add_tensor(results_.front().value + "#rows", *graph_element_type(results_.front().type),
                          matrix, results_.front().quantization);
  softmax.outputs = {result};
  builder_.add_node(std::move(softmax));
  emit(ReshapeOp{}, {result}, x, plain);
}

/// scale = gamma / sqrt(variance + epsilon), shift = beta - mean * scale, in double, rounded once.
void OperatorReader::read_batch_norm() {
  expect_inputs(5, 5);
  const Shape& x = shape(0);
  if (x.size() < 2) fail("input", "shape " + to_string(x), "[batch, channels, ..]");
  if (attributes_.flag("training_mode", false))
    fail("attribute training_mode", "1", "0", "export the model for inference");
  const auto epsilon = static_cast<double>(attributes_.real("epsilon", 1e-5F));
  attributes_.ignore("momentum");
  constexpr std::array kNames{"", "scale", "B", "mean", "var"};
  std::array<std::vector<float>, 5> parameters;
  for (std::size_t i = 1; i < 5; ++i) {
    parameters[i] = *reals(i, kNames[i]);
    if (static_cast<std::int64_t>(parameters[i].size()) != x[1])
      fail(kNames[i], std::to_string(parameters[i].size()) + " numbers",
           std::to_string(x[1]) + ", one a channel");
  }
  OnnxTensor scale = make_onnx_tensor(OnnxType::float32, {x[1]});
  OnnxTensor shift = scale;
  for (std::size_t c = 0; c < parameters[1].size(); ++c) {
    const double variance = static_cast<double>(parameters[4][c]) + epsilon;
    if (!(variance > 0.0)) fail("var", std::to_string(parameters[4][c]), "a variance above 0");
    const double factor = static_cast<double>(parameters[1][c]) / std::sqrt(variance);
    const double offset =
        static_cast<double>(parameters[2][c]) - static_cast<double>(parameters[3][c]) * factor;
    scale.put<float>(static_cast<std::int64_t>(c), static_cast<float>(factor));
    shift.put<float>(static_cast<std::int64_t>(c), static_cast<float>(offset));
  }
  const DimensionOrder order = DimensionOrder::channels_last(x.size());
  const TensorId input = tensor(0, order);
  const TensorId scale_id =
      builder_.constant_tensor(operand(1).value, scale, DimensionOrder::plain(1), std::nullopt);
  const TensorId shift_id =
      builder_.constant_tensor(operand(2).value, shift, DimensionOrder::plain(1), std::nullopt);
  emit(BatchNormOp{}, {input, scale_id, shift_id}, x, order);
}

void OperatorReader::read_layer_norm() {
  expect_inputs(1, 3);
  const Shape& x = shape(0);
  const std::int64_t axis = wrapped_axis(attributes_.integer("axis", -1), x.size(), "attribute axis");
  attributes_.ignore("stash_type");
  if (axis + 1 != static_cast<std::int64_t>(x.size()))
    fail("attribute axis", std::to_string(axis), "the last dimension alone",
         "flatten the normalized dimensions");
  LayerNormOp op;
  op.epsilon = attributes_.real("epsilon", 1e-5F);
  const DimensionOrder order = DimensionOrder::plain(x.size());
  const TensorId input = tensor(0, order);
  std::vector<TensorId> inputs{input, kNoTensor, kNoTensor};
  for (std::size_t i = 1; i < 3; ++i) {
    const auto values = reals(i, i == 1 ? "Scale" : "B");
    if (!values) continue;
    if (static_cast<std::int64_t>(values->size()) != x.back())
      fail(i == 1 ? "Scale" : "B", std::to_string(values->size()) + " numbers", std::to_string(x.back()));
    OnnxTensor constant = *builder_.constant(operand(i).value);
    constant.shape = {x.back()};
    inputs[i] = builder_.constant_tensor(operand(i).value, constant, DimensionOrder::plain(1), std::nullopt);
  }
  emit(op, std::move(inputs), x, order);
}

}  // namespace qsim::onnx_format
