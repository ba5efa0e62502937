// The quantizers of QONNX where no group takes them in, and what of QONNX has no integers.
#include <array>

#include "workloads/readers/onnx/operator_context.h"
#include "workloads/readers/onnx/qonnx_groups.h"
#include "workloads/readers/onnx/qonnx_operators.h"
#include "workloads/readers/onnx/qonnx_quantizer.h"

namespace qsim::onnx_format {
namespace {

/// Of biases, which are sums.
constexpr int kMostConstantBits = 32;

void read_constant(OperatorContext& context) {
  const std::string& input = context.node.inputs.front();
  const OnnxTensor* values = context.builder.constant(input);
  if (values == nullptr || !values->is_real())
    context.fail("input \"" + input + "\"", "no constant of floats", "floats", "export the model again");
  const QonnxQuantizer quantizer =
      qonnx_quantizer(context.builder, context.node, values->shape, kMostConstantBits);
  const std::string integers = context.node.outputs.front() + "#q";
  context.builder.add_constant(integers, quantized_constant(quantizer, *values));
  context.builder.add_dequantized(context.node.outputs.front(), {integers, quantizer.quantization()},
                                  context.index);
}

void ask_all(const Attributes& attributes) {
  for (const char* name : {"signed", "narrow", "rounding_mode"}) attributes.ignore(name);
}

void read_quantizer(OperatorContext& context) {
  ask_all(context.attributes);
  context.expect_inputs(2, 6);
  if (context.is_constant(0)) return read_constant(context);
  if (context.info(0).type != OnnxType::float32)
    context.fail("input \"" + context.operand(0).value + "\"", onnx_type_name(context.info(0).type), "FLOAT");
  const QonnxGroup group = qonnx_quantization(context);
  const Shape x = context.shape(0);
  const DimensionOrder order = context.order(0);
  context.operands = group.operands;
  context.results = {group.result};
  context.emit(QuantizeOp{}, {context.tensor(0, order)}, x, order);
  context.builder.add_dequantized(group.value, {group.result.value, group.result.quantization},
                                  group.value_node);
}

void refuse_floats(OperatorContext& context) {
  context.fail("", context.node.op_type + ": a quantizer to floats of few bits", "a quantizer to integers",
               "train the network with Quant, BipolarQuant or Trunc: the chip computes with integers");
}

void refuse_lowered(OperatorContext& context) {
  context.fail("", context.node.op_type + ": an operator of a later stage of a compiler",
               "Quant, BipolarQuant or Trunc", "take the model before it was lowered");
}

constexpr OperatorRow quantizer_row(std::string_view domain, std::string_view name) {
  return {.name = name,
          .domain = domain,
          .read = read_quantizer,
          .dimensions = DimensionUse::any,
          .first_constant = 1};
}

constexpr OperatorRow refused_row(std::string_view domain, std::string_view name,
                                  void (*refuse)(OperatorContext&)) {
  return {.name = name, .domain = domain, .read = refuse, .integers = IntegerUse::takes};
}

constexpr std::size_t kRowsADomain = 6;
constexpr auto kQonnxRows = [] {
  std::array<OperatorRow, kRowsADomain * kQonnxDomains.size()> rows{};
  std::size_t next = 0;
  for (const std::string_view domain : kQonnxDomains) {
    for (const std::string_view name : {"Quant", "IntQuant", "BipolarQuant", "Trunc"})
      rows[next++] = quantizer_row(domain, name);
    rows[next++] = refused_row(domain, "FloatQuant", refuse_floats);
    rows[next++] = refused_row(domain, "MultiThreshold", refuse_lowered);
  }
  return rows;
}();

}  // namespace

std::span<const OperatorRow> qonnx_operators() {
  return kQonnxRows;
}

}  // namespace qsim::onnx_format
