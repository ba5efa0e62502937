#include "workloads/readers/onnx/dynamic_operands.h"

#include <algorithm>

namespace qsim::onnx_format {
namespace {

const OnnxNode* dynamic_quantizer(const ModelGraph& model, const std::string& value) {
  const std::optional<std::size_t> producer = value.empty() ? std::nullopt : model.producer(value);
  if (!producer) return nullptr;
  const OnnxNode& node = model.model().nodes[*producer];
  const bool is_one =
      node.domain.empty() && node.op_type == "DynamicQuantizeLinear" && node.outputs.size() == 3;
  return is_one ? &node : nullptr;
}

/// Operand of an integer product whose value and zero point one DynamicQuantizeLinear makes.
bool takes_differences(const ModelGraph& model, const OnnxNode& user, const QuantizedOperand& operand) {
  if (operand.scale || operand.zero_point >= user.inputs.size()) return false;
  const OnnxNode* maker = dynamic_quantizer(model, user.inputs[operand.value]);
  return maker != nullptr && user.inputs[operand.value] == maker->outputs[0] &&
         user.inputs[operand.zero_point] == maker->outputs[2];
}

struct DynamicUses {
  bool as_integers = false;     ///< Somebody wants the value as it is.
  bool as_differences = false;  ///< Only products with their zero point do, or those too.
};

DynamicUses uses_of(const ModelGraph& model, const std::string& value) {
  DynamicUses uses;
  if (value.empty()) return uses;
  uses.as_integers = model.is_output(value);
  for (const std::size_t index : model.consumers(value)) {
    const OnnxNode& user = model.model().nodes[index];
    bool is_product = false;
    if (const auto op = meaning_of(user).quantized) {
      is_product = std::ranges::any_of(op->operands, [&](const QuantizedOperand& operand) {
        const bool is_its = user.inputs[operand.value] == value || (operand.zero_point < user.inputs.size() &&
                                                                    user.inputs[operand.zero_point] == value);
        return is_its && takes_differences(model, user, operand);
      });
    }
    (is_product ? uses.as_differences : uses.as_integers) = true;
  }
  return uses;
}

std::string differences_name(const std::string& value) {
  return value + "#differences";
}

}  // namespace

void read_dynamic_quantize(OperatorContext& context) {
  context.expect_inputs(1, 1);
  if (context.node.outputs.size() != 3)
    context.fail("outputs", std::to_string(context.node.outputs.size()), "3");
  const Shape x = context.shape(0);
  const DimensionOrder layout = context.order(0);
  const TensorId input = context.tensor(0, layout);
  const auto add = [&](DynamicResult result, const std::string& value, OnnxType type) {
    const std::optional<Quantization> stored = dynamic_result_quantization(result);
    const Shape given = dynamic_result_shape(result, x);
    context.results.assign(1, {value, type, stored});
    context.emit(DynamicQuantizeOp{result}, {input}, given, given == x ? layout : DimensionOrder::plain(0));
  };
  const DynamicUses values = uses_of(context.builder.model(), context.node.outputs[0]);
  if (values.as_differences) {
    add(DynamicResult::differences, differences_name(context.node.outputs[0]), OnnxType::int16);
    // Known, though no tensor holds them.
    context.builder.add_inner(context.node.outputs[0], x);
    context.builder.add_inner(context.node.outputs[2], {});
  }
  if (values.as_integers) add(DynamicResult::values, context.node.outputs[0], OnnxType::uint8);
  if (uses_of(context.builder.model(), context.node.outputs[1]).as_integers)
    add(DynamicResult::scale, context.node.outputs[1], OnnxType::float32);
  if (uses_of(context.builder.model(), context.node.outputs[2]).as_integers)
    add(DynamicResult::zero_point, context.node.outputs[2], OnnxType::uint8);
}

std::optional<Operand> difference_operand(const OperatorContext& context, const QuantizedOperand& operand) {
  if (!takes_differences(context.builder.model(), context.node, operand)) return std::nullopt;
  return Operand{differences_name(context.node.inputs[operand.value]),
                 dynamic_result_quantization(DynamicResult::differences)};
}

}  // namespace qsim::onnx_format
