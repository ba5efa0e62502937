#include "workloads/readers/onnx/write_builder.h"

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <stdexcept>

#include "workloads/readers/onnx/operator_table.h"

namespace qsim::onnx_format {
namespace {

constexpr std::int64_t kIrVersion = 10;

void set_value_info(::onnx::ValueInfoProto& info, const std::string& name, std::int32_t type,
                    const Shape& shape) {
  info.set_name(name);
  auto* tensor = info.mutable_type()->mutable_tensor_type();
  tensor->set_elem_type(type);
  tensor->mutable_shape();
  for (const std::int64_t size : shape) tensor->mutable_shape()->add_dim()->set_dim_value(size);
}

std::string numbered(std::set<std::string>& taken, const std::string& wanted) {
  std::string name = wanted;
  for (int copy = 2; !taken.insert(name).second; ++copy) name = wanted + "#" + std::to_string(copy);
  return name;
}

::onnx::AttributeProto& add_attribute(::onnx::NodeProto& node, const char* name,
                                      ::onnx::AttributeProto::AttributeType type) {
  ::onnx::AttributeProto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(type);
  return attribute;
}

}  // namespace

std::int32_t data_type(ElementType type) {
  switch (type) {
    case ElementType::i8:
      return ::onnx::TensorProto::INT8;
    case ElementType::u8:
      return ::onnx::TensorProto::UINT8;
    case ElementType::i16:
      return ::onnx::TensorProto::INT16;
    case ElementType::u16:
      return ::onnx::TensorProto::UINT16;
    case ElementType::i32:
      return ::onnx::TensorProto::INT32;
    case ElementType::i64:
      return ::onnx::TensorProto::INT64;
    case ElementType::f32:
      return ::onnx::TensorProto::FLOAT;
  }
  throw std::logic_error("element type out of range");
}

ModelBuilder::ModelBuilder(const std::string& graph_name) : model_(std::make_unique<::onnx::ModelProto>()) {
  model_->set_ir_version(kIrVersion);
  model_->set_producer_name("qsim");
  auto* standard = model_->add_opset_import();
  standard->set_domain("");
  standard->set_version(kOpset);
  auto* microsoft = model_->add_opset_import();
  microsoft->set_domain(kMicrosoft);
  microsoft->set_version(1);
  model_->mutable_graph()->set_name(graph_name.empty() ? "graph" : graph_name);
}

::onnx::NodeProto& ModelBuilder::node(const std::string& op_type, const std::string& name,
                                      const std::vector<std::string>& inputs, const std::string& output,
                                      const std::string& domain) {
  ::onnx::NodeProto& node = *model_->mutable_graph()->add_node();
  node.set_op_type(op_type);
  node.set_name(numbered(node_names_, name));
  node.set_domain(domain);
  for (const std::string& input : inputs) node.add_input(input);
  node.add_output(output);
  return node;
}

ModelBuilder::~ModelBuilder() = default;

void ModelBuilder::set_last_output(const std::string& value) {
  model_->mutable_graph()->mutable_node()->rbegin()->set_output(0, value);
}

std::string ModelBuilder::own_value(const std::string& name) {
  if (reserved_.erase(name) == 0) return unique_value(name);
  value_names_.insert(name);
  return name;
}

std::string ModelBuilder::unique_value(const std::string& wanted) {
  std::string name = wanted;
  for (int copy = 2; reserved_.count(name) != 0 || !value_names_.insert(name).second; ++copy)
    name = wanted + "#" + std::to_string(copy);
  return name;
}

std::string ModelBuilder::constant(const std::string& name, const TensorData& data, bool is_own) {
  ::onnx::TensorProto tensor;
  tensor.set_data_type(data_type(data.type));
  for (const std::int64_t size : data.shape) tensor.add_dims(size);
  tensor.set_raw_data(data.bytes.data(), data.bytes.size());
  const std::string content = tensor.SerializeAsString();
  const std::string key = name + '\0' + content;
  const auto known = constants_.find(key);
  if (known != constants_.end()) return known->second;
  const std::string value = is_own ? own_value(name) : unique_value(name);
  tensor.set_name(value);
  *model_->mutable_graph()->add_initializer() = std::move(tensor);
  constant_bytes_ += static_cast<std::int64_t>(data.bytes.size());
  return constants_[key] = value;
}

std::string ModelBuilder::floats(const std::string& name, std::span<const float> values) {
  TensorData data(ElementType::f32, {static_cast<std::int64_t>(values.size())});
  std::copy(values.begin(), values.end(), data.as<float>().begin());
  return constant(name, data);
}

std::string ModelBuilder::scalar(const std::string& name, float value) {
  TensorData data(ElementType::f32, {});
  data.as<float>()[0] = value;
  return constant(name, data);
}

std::string ModelBuilder::integers(const std::string& name, std::span<const std::int64_t> values) {
  TensorData data(ElementType::i64, {static_cast<std::int64_t>(values.size())});
  for (std::size_t i = 0; i < values.size(); ++i) data.set(static_cast<std::int64_t>(i), values[i]);
  return constant(name, data);
}

void ModelBuilder::input(const std::string& name, std::int32_t type, const Shape& shape) {
  set_value_info(*model_->mutable_graph()->add_input(), name, type, shape);
}

void ModelBuilder::output(const std::string& name, std::int32_t type, const Shape& shape) {
  set_value_info(*model_->mutable_graph()->add_output(), name, type, shape);
}

void set_int(::onnx::NodeProto& node, const char* name, std::int64_t value) {
  add_attribute(node, name, ::onnx::AttributeProto::INT).set_i(value);
}

void set_float(::onnx::NodeProto& node, const char* name, float value) {
  add_attribute(node, name, ::onnx::AttributeProto::FLOAT).set_f(value);
}

void set_text(::onnx::NodeProto& node, const char* name, const std::string& value) {
  add_attribute(node, name, ::onnx::AttributeProto::STRING).set_s(value);
}

void set_ints(::onnx::NodeProto& node, const char* name, const std::vector<std::int64_t>& values) {
  ::onnx::AttributeProto& attribute = add_attribute(node, name, ::onnx::AttributeProto::INTS);
  for (const std::int64_t value : values) attribute.add_ints(value);
}

}  // namespace qsim::onnx_format
