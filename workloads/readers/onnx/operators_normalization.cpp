// Softmax and the normalizations.
#include <algorithm>
#include <array>
#include <cmath>

#include "workloads/readers/onnx/operator_context.h"
#include "workloads/readers/onnx/write_context.h"

namespace qsim::onnx_format {
namespace {

constexpr const char* kLogSoftmax = "LogSoftmax";

/// Before opset 13: over all dimensions from `axis` on, as rows of a matrix.
void read_flat_softmax(OperatorContext& context, std::size_t axis) {
  const Shape x = context.shape(0);
  const DimensionOrder plain = DimensionOrder::plain(x.size());
  const TensorId whole = context.tensor(0, plain);
  const Tensor given = context.builder.graph().tensor(whole);
  const Shape before(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(axis));
  const std::int64_t rows = element_count(before);
  const Shape matrix{rows, element_count(x) / rows};
  Node flatten = context.new_node(ReshapeOp{}, {whole});
  flatten.name += "#rows";
  const TensorId flat =
      context.builder.add_tensor(given.name + "#rows", given.type, matrix, given.quantization);
  flatten.outputs = {flat};
  context.builder.add_node(std::move(flatten), context.index);
  Node softmax = context.new_node(SoftmaxOp{1.0F, context.row.name == kLogSoftmax}, {flat});
  const TensorId result = context.builder.add_tensor(context.results.front().value + "#rows",
                                                     *graph_element_type(context.results.front().type),
                                                     matrix, context.results.front().quantization);
  softmax.outputs = {result};
  context.builder.add_node(std::move(softmax), context.index);
  context.emit(ReshapeOp{}, {result}, x, plain);
}

/// Over one dimension, which goes last; before opset 13 over all from `axis` on, which is the same where only
/// one of them has more than one element.
void read_softmax(OperatorContext& context) {
  context.expect_inputs(1, 1);
  const Shape& x = context.shape(0);
  const std::int64_t version =
      context.node.domain.empty() ? context.opset() : context.attributes.integer("opset", 13);
  const bool flattens = version < 13;
  std::int64_t axis =
      context.wrapped_axis(context.attributes.integer("axis", flattens ? 1 : -1), x.size(), "attribute axis");
  if (flattens) {
    const auto rank = static_cast<std::int64_t>(x.size());
    std::int64_t long_axis = axis;
    int count = 0;
    for (std::int64_t d = axis; d < rank; ++d) {
      if (x[static_cast<std::size_t>(d)] == 1) continue;
      long_axis = d;
      ++count;
    }
    if (count > 1) return read_flat_softmax(context, static_cast<std::size_t>(axis));
    axis = long_axis;
  }
  DimensionOrder last = context.order(0);
  if (last.axes[static_cast<std::size_t>(axis)] + 1 != static_cast<int>(last.rank))
    last = DimensionOrder::axis_last(x.size(), static_cast<std::size_t>(axis));
  context.emit(SoftmaxOp{1.0F, context.row.name == kLogSoftmax}, {context.tensor(0, last)}, x, last);
}

/// scale = gamma / sqrt(variance + epsilon), shift = beta - mean * scale, in double, rounded once. Beta and
/// |gamma| stay known as mean and deviation of the output.
void read_batch_norm(OperatorContext& context) {
  context.expect_inputs(5, 5);
  const Shape& x = context.shape(0);
  if (x.size() < 2) context.fail("input", "shape " + to_string(x), "[batch, channels, ..]");
  if (context.attributes.flag("training_mode", false))
    context.fail("attribute training_mode", "1", "0", "export the model for inference");
  const auto epsilon = static_cast<double>(context.attributes.real("epsilon", 1e-5F));
  context.attributes.ignore("momentum");
  constexpr std::array kNames{"", "scale", "B", "mean", "var"};
  std::array<std::vector<float>, 5> parameters;
  for (std::size_t i = 1; i < 5; ++i) {
    parameters[i] = *context.reals(i, kNames[i]);
    if (static_cast<std::int64_t>(parameters[i].size()) != x[1])
      context.fail(kNames[i], std::to_string(parameters[i].size()) + " numbers",
                   std::to_string(x[1]) + ", one a channel");
  }
  OnnxTensor scale = make_onnx_tensor(OnnxType::float32, {x[1]});
  OnnxTensor shift = scale;
  ChannelDistribution distribution;
  for (std::size_t c = 0; c < parameters[1].size(); ++c) {
    const double variance = static_cast<double>(parameters[4][c]) + epsilon;
    if (!(variance > 0.0)) context.fail("var", std::to_string(parameters[4][c]), "a variance above 0");
    const double factor = static_cast<double>(parameters[1][c]) / std::sqrt(variance);
    const double offset =
        static_cast<double>(parameters[2][c]) - static_cast<double>(parameters[3][c]) * factor;
    scale.put<float>(static_cast<std::int64_t>(c), static_cast<float>(factor));
    shift.put<float>(static_cast<std::int64_t>(c), static_cast<float>(offset));
    distribution.mean.push_back(static_cast<double>(parameters[2][c]));
    distribution.deviation.push_back(std::abs(static_cast<double>(parameters[1][c])));
  }
  const DimensionOrder order = DimensionOrder::channels_last(x.size());
  const TensorId input = context.tensor(0, order);
  const TensorId scale_id = context.builder.constant_tensor(context.operand(1).value, scale,
                                                            DimensionOrder::plain(1), std::nullopt);
  const TensorId shift_id = context.builder.constant_tensor(context.operand(2).value, shift,
                                                            DimensionOrder::plain(1), std::nullopt);
  context.emit(BatchNormOp{}, {input, scale_id, shift_id}, x, order);
  context.builder.graph().nodes.back().distribution = std::move(distribution);
}

void read_layer_norm(OperatorContext& context) {
  context.expect_inputs(1, 3);
  const Shape& x = context.shape(0);
  const std::int64_t axis =
      context.wrapped_axis(context.attributes.integer("axis", -1), x.size(), "attribute axis");
  context.attributes.ignore("stash_type");
  if (axis + 1 != static_cast<std::int64_t>(x.size()))
    context.fail("attribute axis", std::to_string(axis), "the last dimension alone",
                 "flatten the normalized dimensions");
  LayerNormOp op;
  op.epsilon = context.attributes.real("epsilon", 1e-5F);
  const DimensionOrder order = DimensionOrder::plain(x.size());
  const TensorId input = context.tensor(0, order);
  std::vector<TensorId> inputs{input, kNoTensor, kNoTensor};
  for (std::size_t i = 1; i < 3; ++i) {
    const auto values = context.reals(i, i == 1 ? "Scale" : "B");
    if (!values) continue;
    if (static_cast<std::int64_t>(values->size()) != x.back())
      context.fail(i == 1 ? "Scale" : "B", std::to_string(values->size()) + " numbers",
                   std::to_string(x.back()));
    OnnxTensor constant = *context.builder.constant(context.operand(i).value);
    constant.shape = {x.back()};
    inputs[i] = context.builder.constant_tensor(context.operand(i).value, constant, DimensionOrder::plain(1),
                                                std::nullopt);
  }
  context.emit(op, std::move(inputs), x, order);
}

/// Each channel of each image by its own mean and variance, then scale and shift of the channel.
void read_instance_norm(OperatorContext& context) {
  context.expect_inputs(3, 3);
  const Shape x = context.shape(0);
  if (x.size() < 3) context.fail("input", "shape " + to_string(x), "[batch, channels, ..]");
  LayerNormOp norm;
  norm.epsilon = context.attributes.real("epsilon", 1e-5F);
  const DimensionOrder plain = DimensionOrder::plain(x.size());
  const std::int64_t rows = x[0] * x[1];
  TensorId last =
      context.add_step("rows", ReshapeOp{}, {context.tensor(0, plain)}, {rows, element_count(x) / rows});
  last = context.add_step("normal", norm, {last, kNoTensor, kNoTensor},
                          context.builder.graph().tensor(last).shape);
  last = context.add_step("planes", ReshapeOp{}, {last}, {x[0], x[1], element_count(x) / rows});
  last = context.add_step("channels", TransposeOp{{0, 2, 1}}, {last}, {x[0], element_count(x) / rows, x[1]});
  std::vector<TensorId> inputs{last};
  for (const std::size_t i : {1, 2}) {
    const char* name = i == 1 ? "scale" : "B";
    const std::vector<float> values = *context.reals(i, name);
    if (static_cast<std::int64_t>(values.size()) != x[1])
      context.fail(name, std::to_string(values.size()) + " numbers",
                   std::to_string(x[1]) + ", one a channel");
    inputs.push_back(context.tensor(i, DimensionOrder::plain(1)));
  }
  const Shape flat = context.builder.graph().tensor(last).shape;
  last = context.add_step("scaled", BatchNormOp{}, std::move(inputs), flat);
  DimensionOrder last_channels = DimensionOrder::axis_last(x.size(), 1);
  context.emit(ReshapeOp{}, {last}, x, last_channels);
}

// ---- writing ----------------------------------------------------------------------------------------------

std::string write_real_softmax(WriteContext& writer, const Node& node, const RealInput& input_value,
                               const Layout& layout) {
  const auto& op = std::get<SoftmaxOp>(node.op);
  std::string x = input_value(0, layout);
  if (op.beta != 1.0F) {
    const std::string scaled = writer.temporary(node, "#scaled");
    writer.builder.node("Mul", node.name + "#beta", {x, writer.builder.scalar(node.name + "#beta", op.beta)},
                        scaled);
    x = scaled;
  }
  const std::string y = writer.temporary(node, "#y");
  const auto last = static_cast<int>(writer.output(node).shape.size()) - 1;
  set_int(writer.builder.node(op.logarithm ? "LogSoftmax" : "Softmax", node.name, {x}, y), "axis",
          position_of(layout, last));
  return y;
}

bool write_qlinear_softmax(WriteContext& writer, const Node& node) {
  if (std::get<SoftmaxOp>(node.op).beta != 1.0F) return false;
  const Layout layout = writer.natural_layout(node);
  std::vector<std::string> inputs =
      writer.quantized_operand(node.inputs[0], writer.values.get(node.inputs[0], layout));
  append(inputs, {writer.values.scale(node.outputs[0]), writer.values.zero_point(node.outputs[0])});
  const std::string y = writer.begin_output(node, layout);
  auto& op = writer.builder.node("QLinearSoftmax", node.name, inputs, y, kMicrosoft);
  set_int(op, "axis", position_of(layout, static_cast<int>(writer.output(node).shape.size()) - 1));
  set_int(op, "opset", kOpset);
  writer.finish_output(node, y);
  return true;
}

/// scale * x + shift, one of each a channel.
std::string write_real_affine(WriteContext& writer, const Node& node, const RealInput& input_value,
                              const Layout& layout) {
  const std::string scaled = writer.temporary(node, "#scaled");
  writer.builder.node("Mul", node.name, {input_value(0, layout), input_value(1, layout)}, scaled);
  const std::string y = writer.temporary(node, "#y");
  writer.builder.node("Add", node.name + "#shift", {scaled, input_value(2, layout)}, y);
  return y;
}

std::string write_real_layer_norm(WriteContext& writer, const Node& node, const RealInput& input_value,
                                  const Layout& /*layout*/) {
  const auto& op = std::get<LayerNormOp>(node.op);
  const Shape& shape = writer.input(node, 0).shape;
  const auto parameter = [&](std::size_t i) {
    TensorData data = *writer.graph.tensor(node.inputs[i]).data;
    data.shape = {shape.back()};
    return writer.builder.constant(writer.graph.tensor(node.inputs[i]).name, data, true);
  };
  const std::vector<float> ones(static_cast<std::size_t>(shape.back()), 1.0F);
  std::vector<std::string> inputs{
      input_value(0, graph_order(shape.size())),
      writer.has_input(node, 1) ? parameter(1) : writer.builder.floats(node.name + "#ones", ones)};
  if (writer.has_input(node, 2)) inputs.push_back(parameter(2));
  const std::string y = writer.temporary(node, "#y");
  auto& norm = writer.builder.node("LayerNormalization", node.name, inputs, y);
  set_int(norm, "axis", -1);
  set_float(norm, "epsilon", op.epsilon);
  return y;
}

constexpr std::array kNormalizationRows{
    OperatorRow{.name = "Softmax",
                .read = read_softmax,
                .dimensions = DimensionUse::any,
                .group = GroupRule{},
                .write = {.operation = operation_index<SoftmaxOp>(),
                          .quantized = write_qlinear_softmax,
                          .real = write_real_softmax}},
    OperatorRow{.name = kLogSoftmax, .read = read_softmax, .dimensions = DimensionUse::any},
    OperatorRow{.name = "QLinearSoftmax", .domain = kMicrosoft, .quantized = {"Softmax", scaled_operand}},
    OperatorRow{.name = "LayerNormalization",
                .read = read_layer_norm,
                .group = GroupRule{},
                .first_constant = 1,
                .write = {.operation = operation_index<LayerNormOp>(),
                          .layout = ResultLayout::graph,
                          .real = write_real_layer_norm}},
    OperatorRow{.name = "BatchNormalization",
                .read = read_batch_norm,
                .dimensions = DimensionUse::spatial,
                .first_constant = 1,
                .write = {.operation = operation_index<BatchNormOp>(), .real = write_real_affine}},
    OperatorRow{.name = "InstanceNormalization", .read = read_instance_norm, .first_constant = 1},
};

}  // namespace

std::span<const OperatorRow> normalization_operators() {
  return kNormalizationRows;
}

}  // namespace qsim::onnx_format
