#include "workloads/readers/tflite/operator_context.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "workloads/graph/graph_check.h"

namespace qsim::tflite {

const ModelTensor& OperatorContext::input(std::size_t operand) const {
  return builder_.model().tensors[static_cast<std::size_t>(op_.inputs[operand])];
}

const ModelTensor& OperatorContext::output(std::size_t index) const {
  return builder_.model().tensors[static_cast<std::size_t>(op_.outputs[index])];
}

void OperatorContext::fail(const std::string& subject, const std::string& value, const std::string& expected,
                           const std::string& hint) const {
  throw InputError({builder_.model().file, subject.empty() ? op_.place : op_.place + " " + subject, value,
                    expected, hint.empty() ? kModelRemedy : hint});
}

void OperatorContext::expect_inputs(std::size_t min, std::size_t max) const {
  bool present = input_count() >= min && input_count() <= max && output_count() == 1;
  for (std::size_t i = 0; i < min; ++i) present = present && has_input(i);
  if (present) return;
  fail("", std::to_string(input_count()) + " inputs and " + std::to_string(output_count()) + " outputs",
       std::to_string(min) + (min == max ? "" : " to " + std::to_string(max)) + " inputs and 1 output");
}

void OperatorContext::expect_rank(const ModelTensor& tensor, std::size_t rank) const {
  if (tensor.shape.size() == rank) return;
  fail("tensor \"" + tensor.name + "\"", "shape " + to_string(tensor.shape),
       std::to_string(rank) + " dimensions");
}

void OperatorContext::expect_same_type(std::size_t operands) const {
  const ElementCode type = output().type;
  if (type != ElementCode::INT8 && type != ElementCode::INT16 && type != ElementCode::FLOAT32) {
    fail("tensor \"" + output().name + "\"", type_name(type), "INT8, INT16 or FLOAT32",
         "convert the model to int8, to int16 activations with int8 weights, or to float32");
  }
  for (std::size_t i = 0; i < operands; ++i) {
    if (input(i).type == type) continue;
    fail("tensor \"" + input(i).name + "\"", type_name(input(i).type), type_name(type) + " as the output's");
  }
  const auto expect_symmetric = [&](const ModelTensor& tensor) {
    const bool symmetric = std::ranges::all_of(tensor.zero_points, [](auto z) { return z == 0; });
    if (type == ElementCode::INT16 && !symmetric) {
      fail("tensor \"" + tensor.name + "\"", "INT16 with a zero point",
           "zero point 0, as TFLite defines INT16");
    }
  };
  for (std::size_t i = 0; i < operands; ++i) expect_symmetric(input(i));
  expect_symmetric(output());
}

void OperatorContext::expect_same_scale(std::size_t operand) const {
  const ModelTensor& x = input(operand);
  if (x.scales == output().scales && x.zero_points == output().zero_points) return;
  fail("tensor \"" + x.name + "\"", "another scale or zero point than the output's", "the same",
       "TFLite's kernel copies or averages stored integers; put a QUANTIZE before it");
}

void OperatorContext::expect_output_scale(float scale, std::int64_t zero_point, double tolerance) const {
  const ModelTensor& y = output();
  const bool ok = y.scales.size() == 1 && y.zero_points.size() == 1 && y.zero_points[0] == zero_point &&
                  std::abs(static_cast<double>(y.scales[0]) - static_cast<double>(scale)) <=
                      tolerance * static_cast<double>(scale);
  if (ok) return;
  fail("tensor \"" + y.name + "\"", "another scale or zero point",
       "scale " + std::to_string(scale) + " and zero point " + std::to_string(zero_point) +
           ", as the operator demands");
}

std::optional<IndexConstant> OperatorContext::constant(std::size_t operand) const {
  if (!has_input(operand)) return std::nullopt;
  return builder_.index_constant(op_.inputs[operand], op_.place);
}

std::vector<std::int64_t> OperatorContext::indices(std::size_t operand,
                                                   std::optional<std::size_t> count) const {
  const auto known = constant(operand);
  const std::string subject = "tensor \"" + input(operand).name + "\"";
  if (!known)
    fail(subject, "indices computed at run time", "a constant", "convert the model with fixed shapes");
  if (count && known->values.size() != *count) {
    fail(subject, std::to_string(known->values.size()) + " indices", std::to_string(*count));
  }
  return known->values;
}

std::size_t OperatorContext::dimension(std::int64_t axis, std::size_t rank) const {
  const std::int64_t resolved = axis < 0 ? axis + static_cast<std::int64_t>(rank) : axis;
  if (resolved < 0 || resolved >= static_cast<std::int64_t>(rank))
    fail("axis", std::to_string(axis), "less than " + std::to_string(rank));
  return static_cast<std::size_t>(resolved);
}

Activation OperatorContext::activation(file::ActivationCode code) const {
  switch (code) {
    case file::ActivationCode::NONE:
      return Activation::none;
    case file::ActivationCode::RELU:
      return Activation::relu;
    case file::ActivationCode::RELU_N1_TO_1:
      return Activation::relu_n1_to_1;
    case file::ActivationCode::RELU6:
      return Activation::relu6;
    default:
      fail("fused activation", std::to_string(static_cast<int>(code)), "none, RELU, RELU6 or RELU_N1_TO_1");
  }
}

bool OperatorContext::is_same_padding(file::PaddingCode code) const {
  if (code != file::PaddingCode::SAME && code != file::PaddingCode::VALID)
    fail("padding", std::to_string(static_cast<int>(code)), "SAME (0) or VALID (1)");
  return code == file::PaddingCode::SAME;
}

TensorId OperatorContext::use(std::size_t operand) {
  return operand < op_.inputs.size() ? builder_.use(op_.inputs[operand], op_.place) : kNoTensor;
}

void OperatorContext::add_node(Op node, std::vector<TensorId> inputs, std::size_t output_index) {
  while (!inputs.empty() && inputs.back() == kNoTensor) inputs.pop_back();
  const TensorId out = builder_.use(op_.outputs[output_index], op_.place);
  builder_.graph().nodes.push_back(
      {output(output_index).name, op_.place, std::move(node), std::move(inputs), {out}});
}

}  // namespace qsim::tflite
