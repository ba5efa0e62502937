#include "workloads/readers/onnx/read_operator.h"

#include "base/error.h"
#include "workloads/readers/onnx/dynamic_operands.h"
#include "workloads/readers/onnx/operator_context.h"
#include "workloads/readers/onnx/qdq_groups.h"
#include "workloads/readers/onnx/qonnx_groups.h"

namespace qsim::onnx_format {
namespace {

/// Operands and result of an operator that states their scales.
class QuantizedOperands {
 public:
  QuantizedOperands(OperatorContext& context, const QuantizedOperator& form)
      : context_(context), form_(form), inputs_(context.node.inputs) {}

  void take() {
    for (const QuantizedOperand& operand : form_.operands) take_operand(operand);
    if (form_.bias) context_.operands.push_back({inputs_[*form_.bias], std::nullopt});
    take_result();
  }

 private:
  void take_operand(const QuantizedOperand& operand) {
    const std::string& value = inputs_[operand.value];
    if (value.empty()) context_.fail("input " + std::to_string(operand.value), "none", "a tensor");
    if (const std::optional<Operand> differences = difference_operand(context_, operand)) {
      context_.operands.push_back(*differences);
      return;
    }
    const ValueInfo& info = context_.builder.info(value);
    context_.operands.push_back(
        {value, quantization(value, operand.scale, operand.zero_point, info.type, info.shape)});
  }

  void take_result() {
    Result result;
    result.value = context_.node.outputs.front();
    if (!form_.output_scale) {
      result.type = OnnxType::int32;
      result.quantization = Quantization{32, true, {1.0F}, {0}, -1, 0};
      context_.results.push_back(std::move(result));
      return;
    }
    if (inputs_[*form_.output_scale].empty())
      context_.fail("y_scale", "none", "a scale: an integer result", "quantize the output");
    result.type = context_.info(0).type;
    const std::string zero_point = input(form_.output_zero_point);
    if (!zero_point.empty() && context_.builder.is_known(zero_point))
      result.type = context_.builder.info(zero_point).type;
    result.quantization =
        quantization(result.value, form_.output_scale, form_.output_zero_point, result.type, {});
    context_.results.push_back(std::move(result));
  }

  [[nodiscard]] std::string input(std::size_t i) const { return i < inputs_.size() ? inputs_[i] : ""; }

  Quantization quantization(const std::string& value, std::optional<std::size_t> scale,
                            std::size_t zero_point, OnnxType type, const Shape& shape) {
    const std::string zero = input(zero_point);
    const std::string place = context_.place + " \"" + value + "\"";
    if (!scale) return context_.builder.integer_quantization(zero, type, shape, form_.weight_axis, place);
    return context_.builder.quantization(inputs_[*scale], zero, type, shape, form_.weight_axis, place);
  }

  OperatorContext& context_;
  const QuantizedOperator& form_;
  const std::vector<std::string>& inputs_;
};

void take_group(OperatorContext& context, QdqGroup group) {
  context.operands = std::move(group.operands);
  context.results = std::move(group.results);
  context.activation = group.activation;
  context.absorbed = std::move(group.absorbed);
  context.quantizers = std::move(group.quantizers);
  std::string names;
  for (const std::string& member : group.members) names += (names.empty() ? "" : ", ") + member;
  context.place += " with " + names;
}

void take_plain(OperatorContext& context) {
  GraphBuilder& builder = context.builder;
  for (const std::string& input : context.node.inputs) {
    Operand operand{input, std::nullopt};
    if (!input.empty() && !builder.is_constant(input)) {
      const ValueInfo& info = builder.info(input);
      if (!info.forms.empty()) operand.quantization = builder.graph().tensor(info.forms.front()).quantization;
    }
    context.operands.push_back(std::move(operand));
  }
  if (!context.has(0)) context.fail("inputs", "none", "at least one");
  const OnnxType type = context.info(0).type;
  if (type != OnnxType::float32 && context.row.integers == IntegerUse::refuses) {
    context.fail("input \"" + context.operand(0).value + "\"", onnx_type_name(type) + " without a scale",
                 "FLOAT, or integers between DequantizeLinear and QuantizeLinear",
                 "quantize the model with its scales, or use the QLinear operator");
  }
  for (const std::string& output : context.node.outputs)
    context.results.push_back({output, type, context.operand(0).quantization});
}

/// Floats inside a group: no tensor holds them, but their shapes are known.
void add_inner_values(const OperatorContext& context) {
  GraphBuilder& builder = context.builder;
  for (std::size_t i = 0; i < context.node.outputs.size(); ++i)
    builder.add_inner(context.node.outputs[i], Shape(builder.info(context.results[i].value).shape));
  for (const std::size_t index : context.absorbed) {
    const OnnxNode& member = builder.model().model().nodes[index];
    if (is_quantize(member)) continue;
    builder.add_inner(member.outputs.front(), Shape(builder.info(context.results.front().value).shape));
  }
}

/// What an operator between quantizers of QONNX is.
struct QonnxMeaning {
  QonnxGroup group;
  bool is_quantize = false;  ///< A factor and summand before a quantizer.
};

std::optional<QonnxMeaning> qonnx_meaning(OperatorContext& context, const OperatorMeaning& meaning) {
  const bool is_candidate = context.builder.has_qonnx() && !meaning.quantized && context.node.domain.empty();
  if (!is_candidate) return std::nullopt;
  if (auto move = find_qonnx_move(context)) return QonnxMeaning{std::move(*move), false};
  if (auto group = find_qonnx_group(context)) return QonnxMeaning{std::move(*group), false};
  if (auto prelude = find_qonnx_prelude(context)) return QonnxMeaning{std::move(*prelude), true};
  return std::nullopt;
}

/// scale * sum + shift, one of each a channel, which the host computes.
void add_host_scales(OperatorContext& context, const QonnxGroup& group) {
  GraphBuilder& builder = context.builder;
  const std::string sums = group.value + "#sums";
  builder.add_dequantized(sums, {group.result.value, group.result.quantization}, group.value_node);
  const DimensionOrder order = builder.order_of(sums);
  std::vector<TensorId> inputs{
      builder.tensor({sums, std::nullopt}, order, {context.node.name, context.place, context.index})};
  for (const auto& [name, values] :
       {std::pair{"#scale", &group.host_scales}, std::pair{"#shift", &group.host_shifts}}) {
    OnnxTensor tensor = make_onnx_tensor(OnnxType::float32, {static_cast<std::int64_t>(values->size())});
    for (std::size_t i = 0; i < values->size(); ++i) tensor.put(static_cast<std::int64_t>(i), (*values)[i]);
    inputs.push_back(
        builder.constant_tensor(group.value + name, tensor, DimensionOrder::plain(1), std::nullopt));
  }
  const Shape shape = builder.info(sums).shape;
  context.results = {{group.value, OnnxType::float32, std::nullopt}};
  Node scaled = context.new_node(BatchNormOp{}, std::move(inputs));
  scaled.name += "#scaled";
  scaled.outputs = {builder.add_result(context.results.front(), shape, order)};
  builder.add_node(std::move(scaled), context.index);
}

void read_qonnx_group(OperatorContext& context, const QonnxMeaning& meaning) {
  const QonnxGroup& group = meaning.group;
  context.operands = group.operands;
  context.results = {group.result};
  context.absorbed = group.absorbed;
  context.sums_window = group.sums_window;
  std::string names;
  for (const std::size_t member : group.absorbed)
    names += (names.empty() ? " with " : ", ") + context.builder.model().model().nodes[member].name;
  context.place += names;
  if (meaning.is_quantize) {
    const Shape x = context.shape(0);
    const DimensionOrder order = context.order(0);
    context.emit(QuantizeOp{}, {context.tensor(0, order)}, x, order);
  } else {
    context.row.read(context);
    context.attributes.finish();
  }
  if (group.host_scales.empty()) {
    context.builder.add_dequantized(group.value, {group.result.value, group.result.quantization},
                                    group.value_node);
  } else {
    add_host_scales(context, group);
  }
  const Shape shape = context.builder.info(group.result.value).shape;
  for (const std::size_t index : group.absorbed) {
    const std::string& inner = context.builder.model().model().nodes[index].outputs.front();
    if (!context.builder.is_known(inner)) context.builder.add_inner(inner, shape);
  }
  const std::string& own = context.node.outputs.front();
  if (!context.builder.is_known(own)) context.builder.add_inner(own, shape);
}

}  // namespace

void require_known(const GraphBuilder& builder, const OnnxNode& node) {
  const OperatorRow* row = meaning_of(node).row;
  if (row != nullptr && (row->read != nullptr || row->fold_shape != nullptr)) return;
  const std::string domain = node.domain.empty() ? "" : " of " + node.domain;
  throw InputError(Problem{builder.model().model().file, node.place, "operator " + node.op_type + domain,
                           "an operator that docs/onnx.md lists",
                           "replace it by operators that are read, or leave it out of the model"});
}

std::vector<std::size_t> read_operator(GraphBuilder& builder, std::size_t index) {
  const OnnxNode& node = builder.model().model().nodes[index];
  require_known(builder, node);
  const OperatorMeaning meaning = meaning_of(node);
  OperatorContext context(builder, index, *meaning.row);
  if (meaning.row->read == nullptr)
    context.fail("inputs", "constants", "a value that depends on the model's inputs");
  if (const std::optional<QonnxMeaning> qonnx = qonnx_meaning(context, meaning)) {
    read_qonnx_group(context, *qonnx);
    return context.absorbed;
  }
  if (meaning.quantized) {
    QuantizedOperands(context, *meaning.quantized).take();
  } else if (std::optional<QdqGroup> group =
                 meaning.row->group ? find_qdq_group(builder, node, *meaning.row->group) : std::nullopt) {
    take_group(context, std::move(*group));
  } else {
    take_plain(context);
  }
  meaning.row->read(context);
  context.attributes.finish();
  if (context.is_group()) add_inner_values(context);
  return context.absorbed;
}

}  // namespace qsim::onnx_format
