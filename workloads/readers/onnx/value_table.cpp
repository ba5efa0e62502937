// What is known of the values of a model.
#include <algorithm>
#include <cassert>

#include "workloads/readers/onnx/graph_builder.h"
#include "workloads/readers/onnx/qonnx_quantizer.h"

namespace qsim::onnx_format {
namespace {

/// The constant of an operand of quantization, through Constant nodes too.
const OnnxTensor* parameter(GraphBuilder& builder, const std::string& value) {
  return value.empty() || !builder.is_known(value) ? nullptr : builder.constant(value);
}

}  // namespace

const ValueInfo& GraphBuilder::info(const std::string& value) const {
  const auto found = values_.find(value);
  assert(found != values_.end());
  return found->second;
}

ValueInfo& GraphBuilder::add_value(const std::string& value) {
  return values_[value];
}

bool GraphBuilder::is_constant(const std::string& value) const {
  const auto found = values_.find(value);
  if (found == values_.end()) return false;
  const ValueInfo& info = found->second;
  return info.constant != nullptr || (info.dequantized && is_constant(info.dequantized->value));
}

const OnnxTensor* GraphBuilder::constant(const std::string& value) {
  const auto found = values_.find(value);
  if (found == values_.end()) return nullptr;
  ValueInfo& info = found->second;
  if (info.constant != nullptr || !info.dequantized || !is_constant(info.dequantized->value))
    return info.constant;
  const OnnxNode& node = model_.model().nodes[*model_.producer(value)];
  if (is_qonnx_quantizer(node)) {
    const OnnxTensor& integers = *constant(info.dequantized->value);
    count_constant(value, static_cast<std::size_t>(integers.size()) * sizeof(float));
    constants_.push_back(dequantized_constant(*info.dequantized->quantization, integers));
    info.constant = &constants_.back();
    return info.constant;
  }
  const Attributes attributes(node, model_.model().file);
  FoldRequest request{node, model_.model().file, attributes, model_.opset(), {}};
  for (const std::string& input : node.inputs)
    request.inputs.push_back(input.empty() ? nullptr : constant(input));
  count_constant(value,
                 static_cast<std::size_t>(info.dequantized ? element_count(info.shape) : 0) * sizeof(float));
  constants_.push_back(*fold_node(request));
  info.constant = &constants_.back();
  return info.constant;
}

void GraphBuilder::count_constant(const std::string& value, std::size_t bytes) {
  constant_bytes_ += bytes;
  if (constant_bytes_ <= constant_limit_) return;
  throw InputError(Problem{model_.model().file, "constant \"" + value + "\"",
                           "constants of more than " + std::to_string(constant_limit_) + " bytes",
                           "256 MiB and eight times what the file has", "export the model again"});
}

void GraphBuilder::add_constant(const std::string& value, OnnxTensor tensor) {
  count_constant(value, tensor.bytes.size());
  constants_.push_back(std::move(tensor));
  ValueInfo& info = add_value(value);
  info.constant = &constants_.back();
  info.type = info.constant->type;
  info.shape = info.constant->shape;
}

std::string GraphBuilder::constant_remedy(const std::string& value, const std::string& otherwise) const {
  const std::vector<const OnnxValue*>& inputs = model_.inputs();
  const bool is_input =
      std::any_of(inputs.begin(), inputs.end(), [&](const OnnxValue* input) { return input->name == value; });
  return is_input ? "give its value with --input " + value + "=FILE.npy, or make it an initializer"
                  : otherwise;
}

void GraphBuilder::add_initializers() {
  for (const OnnxInitializer& initializer : model_.model().initializers) {
    ValueInfo& info = add_value(initializer.name);
    info.constant = &initializer.tensor;
    info.type = initializer.tensor.type;
    info.shape = initializer.tensor.shape;
    constant_limit_ += 8 * initializer.tensor.bytes.size();
  }
}

void GraphBuilder::add_alias(const std::string& value, const std::string& original) {
  const ValueInfo copy = info(original);
  add_value(value) = copy;
}

void GraphBuilder::add_dequantized(const std::string& value, const Operand& source, std::size_t node) {
  const Shape shape = info(source.value).shape;
  ValueInfo& added = add_value(value);
  added.type = OnnxType::float32;
  added.shape = shape;
  added.dequantized = source;
  added.dequantize_node = node;
}

void GraphBuilder::add_inner(const std::string& value, const Shape& shape) {
  ValueInfo& added = add_value(value);
  added.type = OnnxType::float32;
  added.shape = shape;
}

void GraphBuilder::add_input(const std::string& value, OnnxType type, const Shape& shape,
                             const std::optional<Quantization>& quantization, const DimensionOrder& order) {
  graph_.inputs.push_back(add_result({value, type, quantization}, shape, order));
}

Quantization GraphBuilder::quantization(const std::string& scale_value, const std::string& zero_point_value,
                                        OnnxType type, const Shape& shape, std::int64_t axis,
                                        const std::string& place) {
  const auto fail = [&](const std::string& value, const std::string& expected,
                        const std::string& remedy = {}) {
    throw InputError(
        Problem{model_.model().file, place, value, expected,
                remedy.empty() ? "quantize the model statically, with constant scales" : remedy});
  };
  const OnnxTensor* scale = parameter(*this, scale_value);
  if (scale == nullptr)
    fail("scale \"" + scale_value + "\", which is computed at run time", "a constant",
         constant_remedy(scale_value));
  if (scale->type != OnnxType::float32) fail("scale of " + onnx_type_name(scale->type), "FLOAT");
  return quantization(*scale, zero_point_value, type, shape, axis, place);
}

Quantization GraphBuilder::integer_quantization(const std::string& zero_point_value, OnnxType type,
                                                const Shape& shape, std::int64_t axis,
                                                const std::string& place) {
  const OnnxTensor* zero_point = parameter(*this, zero_point_value);
  const bool has_slices = zero_point != nullptr && zero_point->size() != 1;
  OnnxTensor ones = make_onnx_tensor(OnnxType::float32, has_slices ? zero_point->shape : Shape{});
  for (std::int64_t i = 0; i < ones.size(); ++i) ones.put<float>(i, 1.0F);
  return quantization(ones, zero_point_value, type, shape, axis, place);
}

Quantization GraphBuilder::quantization(const OnnxTensor& scales, const std::string& zero_point_value,
                                        OnnxType type, const Shape& shape, std::int64_t axis,
                                        const std::string& place) {
  const auto fail = [&](const std::string& value, const std::string& expected,
                        const std::string& remedy = {}) {
    throw InputError(
        Problem{model_.model().file, place, value, expected,
                remedy.empty() ? "quantize the model statically, with constant scales" : remedy});
  };
  const OnnxTensor* scale = &scales;
  const OnnxTensor* zero_point = parameter(*this, zero_point_value);
  if (!zero_point_value.empty() && zero_point == nullptr)
    fail("zero point \"" + zero_point_value + "\", which is computed at run time", "a constant",
         constant_remedy(zero_point_value));
  if (zero_point != nullptr && zero_point->type != type)
    fail("zero point of " + onnx_type_name(zero_point->type), onnx_type_name(type) + ", as the tensor is");
  Quantization q;
  q.bits = onnx_integer_bits(type);
  q.is_signed = onnx_is_signed(type);
  if (q.bits == 0) fail(onnx_type_name(type), "a tensor of integers");
  if (scale->size() != 1) {
    const auto rank = static_cast<std::int64_t>(shape.size());
    const std::int64_t dimension = axis < 0 ? axis + rank : axis;
    if (scale->shape.size() != 1 || dimension < 0 || dimension >= rank ||
        shape[static_cast<std::size_t>(dimension)] != scale->size()) {
      fail("scales of shape " + to_string(scale->shape) + " along axis " + std::to_string(axis),
           "one scale, or one a slice of the axis of shape " + to_string(shape));
    }
    q.axis = static_cast<int>(dimension);
  }
  if (zero_point != nullptr && zero_point->size() != scale->size() && zero_point->size() != 1)
    fail(std::to_string(zero_point->size()) + " zero points", "as many as scales");
  q.scales.clear();
  for (std::int64_t i = 0; i < scale->size(); ++i) q.scales.push_back(scale->get<float>(i));
  q.zero_points.assign(q.scales.size(), 0);
  for (std::size_t i = 0; zero_point != nullptr && i < q.zero_points.size(); ++i) {
    const std::int64_t index = zero_point->size() == 1 ? 0 : static_cast<std::int64_t>(i);
    q.zero_points[i] = static_cast<std::int32_t>(zero_point->integer(index));
  }
  return q;
}

}  // namespace qsim::onnx_format
