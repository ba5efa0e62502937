// What the operators' readers share, and the dispatch.
#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "workloads/graph/graph_check.h"
#include "workloads/readers/tflite/graph_builder.h"

namespace qsim::tflite {

/// What reads an operator; nullptr where it is not supported.
OperatorReader::Reader OperatorReader::reader_of(OperatorCode code) {
  using R = OperatorReader;
  switch (code) {
    case OperatorCode::conv_2d:
      return [](R& r) { r.read_conv(); };
    case OperatorCode::depthwise_conv_2d:
      return [](R& r) { r.read_depthwise(); };
    case OperatorCode::transpose_conv:
      return [](R& r) { r.read_transpose_conv(); };
    case OperatorCode::fully_connected:
      return [](R& r) { r.read_fully_connected(); };
    case OperatorCode::add:
      return [](R& r) { r.read_binary(BinaryKind::add); };
    case OperatorCode::sub:
      return [](R& r) { r.read_binary(BinaryKind::sub); };
    case OperatorCode::mul:
      return [](R& r) { r.read_binary(BinaryKind::mul); };
    case OperatorCode::average_pool_2d:
      return [](R& r) { r.read_pool(PoolKind::average); };
    case OperatorCode::max_pool_2d:
      return [](R& r) { r.read_pool(PoolKind::max); };
    case OperatorCode::mean:
      return [](R& r) { r.read_mean(); };
    case OperatorCode::softmax:
      return [](R& r) { r.read_softmax(); };
    case OperatorCode::logistic:
      return [](R& r) { r.read_unary(UnaryKind::logistic); };
    case OperatorCode::tanh:
      return [](R& r) { r.read_unary(UnaryKind::tanh); };
    case OperatorCode::leaky_relu:
      return [](R& r) { r.read_unary(UnaryKind::leaky_relu); };
    case OperatorCode::relu:
      return [](R& r) { r.read_unary(UnaryKind::relu); };
    case OperatorCode::relu6:
      return [](R& r) { r.read_unary(UnaryKind::relu6); };
    case OperatorCode::relu_n1_to_1:
      return [](R& r) { r.read_unary(UnaryKind::relu_n1_to_1); };
    case OperatorCode::relu_0_to_1:
      return [](R& r) { r.read_unary(UnaryKind::clip); };
    case OperatorCode::hard_swish:
      return [](R& r) { r.read_unary(UnaryKind::hard_swish); };
    case OperatorCode::elu:
      return [](R& r) { r.read_unary(UnaryKind::elu); };
    case OperatorCode::gelu:
      return [](R& r) { r.read_gelu(); };
    case OperatorCode::prelu:
      return [](R& r) { r.read_prelu(); };
    case OperatorCode::minimum:
      return [](R& r) { r.read_extremum(BinaryKind::min); };
    case OperatorCode::maximum:
      return [](R& r) { r.read_extremum(BinaryKind::max); };
    case OperatorCode::resize_bilinear:
      return [](R& r) { r.read_resize(ResizeMode::linear); };
    case OperatorCode::resize_nearest_neighbor:
      return [](R& r) { r.read_resize(ResizeMode::nearest); };
    case OperatorCode::batch_matmul:
      return [](R& r) { r.read_batch_matmul(); };
    case OperatorCode::split:
      return [](R& r) { r.read_split(); };
    case OperatorCode::split_v:
      return [](R& r) { r.read_split_v(); };
    case OperatorCode::quantize:
      return [](R& r) { r.read_quantize(); };
    case OperatorCode::dequantize:
      return [](R& r) { r.read_dequantize(); };
    case OperatorCode::pad:
    case OperatorCode::padv2:
      return [](R& r) { r.read_pad(); };
    case OperatorCode::strided_slice:
      return [](R& r) { r.read_strided_slice(); };
    case OperatorCode::slice:
      return [](R& r) { r.read_slice(); };
    case OperatorCode::reshape:
    case OperatorCode::squeeze:
    case OperatorCode::expand_dims:
      return [](R& r) { r.read_reshape(); };
    case OperatorCode::transpose:
      return [](R& r) { r.read_transpose(); };
    case OperatorCode::concatenation:
      return [](R& r) { r.read_concatenation(); };
    default:
      return nullptr;
  }
}

void OperatorReader::read() {
  const Reader reader = reader_of(op_.code);
  if (reader == nullptr) {
    const bool is_custom = op_.code == OperatorCode::custom;
    fail("", is_custom ? "a custom operator, which is not supported" : "an operator that is not supported",
         "convolutions, fully connected layers, elementwise arithmetic, pooling, activations or data "
         "movement",
         "end the network before it, or replace it by supported operators and convert again");
  }
  reader(*this);
}

void OperatorReader::fail(const std::string& subject, const std::string& value, const std::string& expected,
                          const std::string& hint) const {
  throw InputError({builder_.model_.file, subject.empty() ? op_.place : op_.place + " " + subject, value,
                    expected, hint.empty() ? kModelRemedy : hint});
}

void OperatorReader::expect_inputs(std::size_t min, std::size_t max) const {
  const bool present = std::none_of(
      op_.inputs.begin(), op_.inputs.begin() + static_cast<std::ptrdiff_t>(std::min(min, op_.inputs.size())),
      [](std::int32_t index) { return index < 0; });
  if (op_.inputs.size() >= min && op_.inputs.size() <= max && present && op_.outputs.size() == 1) return;
  fail("",
       std::to_string(op_.inputs.size()) + " inputs and " + std::to_string(op_.outputs.size()) + " outputs",
       std::to_string(min) + (min == max ? "" : " to " + std::to_string(max)) + " inputs and 1 output");
}

const ModelTensor& OperatorReader::input(std::size_t operand) const {
  return builder_.model_.tensors[static_cast<std::size_t>(op_.inputs[operand])];
}

const ModelTensor& OperatorReader::output(std::size_t index) const {
  return builder_.model_.tensors[static_cast<std::size_t>(op_.outputs[index])];
}

void OperatorReader::expect_rank(const ModelTensor& tensor, std::size_t rank) const {
  if (tensor.shape.size() == rank) return;
  fail("tensor \"" + tensor.name + "\"", "shape " + to_string(tensor.shape),
       std::to_string(rank) + " dimensions");
}

std::vector<std::int64_t> OperatorReader::indices(std::size_t operand,
                                                  std::optional<std::size_t> count) const {
  const auto constant = builder_.index_constant(op_.inputs[operand], op_.place);
  const std::string subject = "tensor \"" + input(operand).name + "\"";
  if (!constant)
    fail(subject, "indices computed at run time", "a constant", "convert the model with fixed shapes");
  if (count && constant->values.size() != *count) {
    fail(subject, std::to_string(constant->values.size()) + " indices", std::to_string(*count));
  }
  return constant->values;
}

void OperatorReader::expect_same_type(std::size_t operands) const {
  const TypeCode type = output().type;
  if (type != TypeCode::int8 && type != TypeCode::int16 && type != TypeCode::float32) {
    fail("tensor \"" + output().name + "\"", type_name(type), "INT8, INT16 or FLOAT32",
         "convert the model to int8, to int16 activations with int8 weights, or to float32");
  }
  for (std::size_t i = 0; i < operands; ++i) {
    if (input(i).type == type) continue;
    fail("tensor \"" + input(i).name + "\"", type_name(input(i).type), type_name(type) + " as the output's");
  }
  const auto expect_symmetric = [&](const ModelTensor& tensor) {
    const bool symmetric =
        std::all_of(tensor.zero_points.begin(), tensor.zero_points.end(), [](auto z) { return z == 0; });
    if (type == TypeCode::int16 && !symmetric) {
      fail("tensor \"" + tensor.name + "\"", "INT16 with a zero point",
           "zero point 0, as TFLite defines INT16");
    }
  };
  for (std::size_t i = 0; i < operands; ++i) expect_symmetric(input(i));
  expect_symmetric(output());
}

void OperatorReader::expect_same_scale(std::size_t operand) const {
  const ModelTensor& x = input(operand);
  if (x.scales == output().scales && x.zero_points == output().zero_points) return;
  fail("tensor \"" + x.name + "\"", "another scale or zero point than the output's", "the same",
       "TFLite's kernel copies or averages stored integers; put a QUANTIZE before it");
}

void OperatorReader::expect_output_scale(float scale, std::int64_t zero_point, double tolerance) const {
  const ModelTensor& y = output();
  const bool ok = y.scales.size() == 1 && y.zero_points.size() == 1 && y.zero_points[0] == zero_point &&
                  std::abs(static_cast<double>(y.scales[0]) - static_cast<double>(scale)) <=
                      tolerance * static_cast<double>(scale);
  if (ok) return;
  fail("tensor \"" + y.name + "\"", "another scale or zero point",
       "scale " + std::to_string(scale) + " and zero point " + std::to_string(zero_point) +
           ", as the operator demands");
}

Activation OperatorReader::activation(int field) const {
  const int code{option<std::int8_t>(field, 0)};
  switch (code) {
    case 0:
      return Activation::none;
    case 1:
      return Activation::relu;
    case 2:
      return Activation::relu_n1_to_1;
    case 3:
      return Activation::relu6;
    default:
      fail("fused activation", std::to_string(code), "none, RELU, RELU6 or RELU_N1_TO_1");
  }
}

bool OperatorReader::same_padding() const {
  const int code{option<std::int8_t>(window_field::padding, 0)};
  if (code != 0 && code != 1) fail("padding", std::to_string(code), "SAME (0) or VALID (1)");
  return code == 0;
}

TensorId OperatorReader::use(std::size_t operand) {
  return operand < op_.inputs.size() ? builder_.use(op_.inputs[operand], op_.place) : kNoTensor;
}

void OperatorReader::add_node(Op op, std::vector<TensorId> inputs, std::size_t output_index) {
  while (!inputs.empty() && inputs.back() == kNoTensor) inputs.pop_back();
  const TensorId out = builder_.use(op_.outputs[output_index], op_.place);
  builder_.graph_.nodes.push_back(
      {output(output_index).name, op_.place, std::move(op), std::move(inputs), {out}});
}

}  // namespace qsim::tflite
