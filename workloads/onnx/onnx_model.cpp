#include "workloads/onnx/onnx_model.h"

#include <onnx/onnx_pb.h>

#include <charconv>
#include <limits>

#include "workloads/error.h"
#include "workloads/onnx/wire_check.h"
#include "workloads/read_file.h"

namespace qsim {
namespace {

constexpr std::int64_t kMaxFileBytes = std::numeric_limits<std::int32_t>::max();
constexpr const char* kDamagedHint = "the file is damaged or no ONNX model; copy or export it again";

/// "ai.onnx" is the long form of the default domain.
std::string plain_domain(const std::string& domain) {
  return domain == "ai.onnx" ? "" : domain;
}

std::string type_text(std::int32_t type) {
  return ::onnx::TensorProto::DataType_IsValid(type)
             ? ::onnx::TensorProto::DataType_Name(static_cast<::onnx::TensorProto::DataType>(type))
             : "type " + std::to_string(type);
}

class ModelConverter {
 public:
  ModelConverter(const ::onnx::ModelProto& proto, const std::string& file) : proto_(proto) {
    model_.file = file;
  }

  OnnxModel convert() {
    if (!proto_.has_graph()) fail("graph", "none", "a graph");
    model_.ir_version = proto_.ir_version();
    model_.producer = proto_.producer_name();
    if (!proto_.producer_version().empty()) model_.producer += " " + proto_.producer_version();
    for (const auto& opset : proto_.opset_import())
      model_.opsets.push_back({plain_domain(opset.domain()), opset.version()});
    for (const auto& function : proto_.functions())
      model_.functions.push_back(function.domain() + "." + function.name());
    const ::onnx::GraphProto& graph = proto_.graph();
    model_.graph_name = graph.name();
    for (const auto& node : graph.node()) add_node(node);
    for (const auto& input : graph.input()) model_.inputs.push_back(value_of(input));
    for (const auto& output : graph.output()) model_.outputs.push_back(value_of(output));
    for (const auto& initializer : graph.initializer()) add_initializer(initializer);
    return std::move(model_);
  }

 private:
  [[noreturn]] void fail(const std::string& place, const std::string& value,
                         const std::string& expected) const {
    throw InputError(Problem{model_.file, place, value, expected, kDamagedHint});
  }

  void add_node(const ::onnx::NodeProto& proto) {
    const std::string number = std::to_string(model_.nodes.size());
    OnnxNode node;
    node.name = proto.name();
    if (node.name.empty() && proto.output_size() > 0) node.name = proto.output(0);
    if (node.name.empty()) node.name = "node_" + number;
    node.op_type = proto.op_type();
    node.domain = plain_domain(proto.domain());
    node.inputs = {proto.input().begin(), proto.input().end()};
    node.outputs = {proto.output().begin(), proto.output().end()};
    for (const auto& attribute : proto.attribute()) node.attributes.push_back(attribute.name());
    node.place = "graph node " + number + " " + node.op_type + " \"" + node.name + "\"";
    if (node.op_type.empty()) fail("graph node " + number, "no op_type", "the name of an operator");
    model_.nodes.push_back(std::move(node));
  }

  static OnnxValue value_of(const ::onnx::ValueInfoProto& proto) {
    OnnxValue value;
    value.name = proto.name();
    if (!proto.type().has_tensor_type()) return value;
    const auto& tensor = proto.type().tensor_type();
    value.element_type = type_text(tensor.elem_type());
    if (!tensor.has_shape()) return value;
    value.shape.emplace();
    for (const auto& dimension : tensor.shape().dim()) {
      if (dimension.has_dim_value()) {
        value.shape->emplace_back(dimension.dim_value());
      } else {
        value.shape->emplace_back(dimension.dim_param());
      }
    }
    return value;
  }

  void add_initializer(const ::onnx::TensorProto& proto) {
    OnnxInitializer initializer;
    initializer.name = proto.name();
    initializer.element_type = type_text(proto.data_type());
    initializer.shape = {proto.dims().begin(), proto.dims().end()};
    const std::string place = "graph initializer \"" + initializer.name + "\"";
    for (const std::int64_t size : initializer.shape) {
      if (size < 0) fail(place, "dimension " + std::to_string(size), "0 or more");
    }
    if (proto.data_location() == ::onnx::TensorProto::EXTERNAL)
      initializer.external_data = external_data(proto, place);
    model_.initializers.push_back(std::move(initializer));
  }

  [[nodiscard]] OnnxExternalData external_data(const ::onnx::TensorProto& proto,
                                               const std::string& place) const {
    OnnxExternalData data;
    for (const auto& entry : proto.external_data()) {
      if (entry.key() == "location") data.location = entry.value();
      if (entry.key() == "offset") data.offset = byte_count(entry.value(), place + " external offset");
      if (entry.key() == "length") data.length = byte_count(entry.value(), place + " external length");
    }
    if (data.location.empty()) fail(place, "external data without location", "the name of a file");
    return data;
  }

  /// External sizes are decimal text.
  [[nodiscard]] std::int64_t byte_count(const std::string& text, const std::string& place) const {
    std::int64_t count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc() || end != text.data() + text.size() || count < 0)
      fail(place, '"' + text + '"', "a count of bytes");
    return count;
  }

  const ::onnx::ModelProto& proto_;
  OnnxModel model_;
};

}  // namespace

OnnxModel read_onnx_model(const std::string& path) {
  const std::vector<std::byte> bytes = read_file(path, {"an ONNX model", kMaxFileBytes});
  if (bytes.empty()) throw InputError(Problem{path, "", "an empty file", "an ONNX model", kDamagedHint});
  onnx_format::check_wire_format(bytes, path);
  ::onnx::ModelProto proto;
  if (!proto.ParsePartialFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    throw InputError(
        Problem{path, "", "messages that protobuf does not read", "a serialized ModelProto", kDamagedHint});
  }
  return ModelConverter(proto, path).convert();
}

}  // namespace qsim
