#include "workloads/readers/onnx/onnx_model.h"

#include <onnx/onnx_pb.h>

#include <limits>

#include "base/error.h"
#include "base/printable.h"
#include "base/read_file.h"
#include "workloads/readers/onnx/tensor_data.h"
#include "workloads/readers/onnx/wire_check.h"

namespace qsim {
namespace {

constexpr std::int64_t kMaxFileBytes = std::numeric_limits<std::int32_t>::max();
constexpr const char* kDamagedHint = "the file is damaged or no ONNX model; copy or export it again";

/// "ai.onnx" is the long form of the default domain.
std::string plain_domain(const std::string& domain) {
  return domain == "ai.onnx" ? "" : domain;
}

class ModelConverter {
 public:
  /// Takes the initializers' values out of `proto`.
  ModelConverter(::onnx::ModelProto& proto, const std::string& file) : proto_(proto) { model_.file = file; }

  OnnxModel convert() {
    if (!proto_.has_graph()) fail("graph", "none", "a graph", kDamagedHint);
    model_.ir_version = proto_.ir_version();
    model_.producer = proto_.producer_name();
    if (!proto_.producer_version().empty()) model_.producer += " " + proto_.producer_version();
    for (const auto& opset : proto_.opset_import())
      model_.opsets.push_back({plain_domain(opset.domain()), opset.version()});
    for (const auto& function : proto_.functions())
      model_.functions.push_back(function.domain() + "." + function.name());
    ::onnx::GraphProto& graph = *proto_.mutable_graph();
    model_.graph_name = graph.name();
    for (const auto& node : graph.node()) add_node(node);
    for (const auto& input : graph.input()) model_.inputs.push_back(value_of(input));
    for (const auto& output : graph.output()) model_.outputs.push_back(value_of(output));
    for (auto& initializer : *graph.mutable_initializer()) {
      check_text(initializer.name(), "graph initializer");
      model_.initializers.push_back(
          {initializer.name(), onnx_format::read_tensor(initializer, model_.file,
                                                        "graph initializer \"" + initializer.name() + "\"")});
      initializer = ::onnx::TensorProto();  // The next one's values may have its memory.
    }
    if (graph.sparse_initializer_size() > 0) {
      fail("graph sparse_initializer \"" + graph.sparse_initializer(0).values().name() + "\"",
           "a sparse tensor", "dense tensors", "export the model with dense weights");
    }
    return std::move(model_);
  }

 private:
  [[noreturn]] void fail(const std::string& place, const std::string& value, const std::string& expected,
                         const std::string& hint) const {
    throw InputError(Problem{model_.file, place, value, expected, hint});
  }

  /// Names are UTF-8, as protobuf demands; protobuf does not look here.
  void check_text(const std::string& name, const std::string& place) const {
    if (valid_utf8(name) != name) fail(place, '"' + name + '"', "a name in UTF-8", kDamagedHint);
  }

  void add_node(const ::onnx::NodeProto& proto) {
    const std::string number = std::to_string(model_.nodes.size());
    for (const std::string* name : {&proto.name(), &proto.op_type(), &proto.domain()})
      check_text(*name, "graph node " + number);
    for (const std::string& input : proto.input()) check_text(input, "graph node " + number + " input");
    for (const std::string& output : proto.output()) check_text(output, "graph node " + number + " output");
    OnnxNode node;
    node.name = proto.name();
    if (node.name.empty() && proto.output_size() > 0) node.name = proto.output(0);
    if (node.name.empty()) node.name = "node_" + number;
    node.op_type = proto.op_type();
    node.domain = plain_domain(proto.domain());
    node.inputs = {proto.input().begin(), proto.input().end()};
    node.outputs = {proto.output().begin(), proto.output().end()};
    node.place = "graph node " + number + " " + node.op_type + " \"" + node.name + "\"";
    if (node.op_type.empty())
      fail("graph node " + number, "no op_type", "the name of an operator", kDamagedHint);
    for (const auto& attribute : proto.attribute()) node.attributes.push_back(attribute_of(attribute, node));
    model_.nodes.push_back(std::move(node));
  }

  [[nodiscard]] OnnxAttribute attribute_of(const ::onnx::AttributeProto& proto, const OnnxNode& node) const {
    OnnxAttribute attribute;
    attribute.name = proto.name();
    switch (proto.type()) {
      case ::onnx::AttributeProto::INT:
        attribute.value = static_cast<std::int64_t>(proto.i());
        break;
      case ::onnx::AttributeProto::FLOAT:
        attribute.value = proto.f();
        break;
      case ::onnx::AttributeProto::STRING:
        attribute.value = proto.s();
        break;
      case ::onnx::AttributeProto::INTS:
        attribute.value = std::vector<std::int64_t>(proto.ints().begin(), proto.ints().end());
        break;
      case ::onnx::AttributeProto::FLOATS:
        attribute.value = std::vector<float>(proto.floats().begin(), proto.floats().end());
        break;
      case ::onnx::AttributeProto::STRINGS:
        attribute.value = std::vector<std::string>(proto.strings().begin(), proto.strings().end());
        break;
      case ::onnx::AttributeProto::TENSOR:
        attribute.value =
            onnx_format::read_tensor(proto.t(), model_.file, node.place + " attribute " + proto.name());
        break;
      default:
        break;
    }
    return attribute;
  }

  [[nodiscard]] OnnxValue value_of(const ::onnx::ValueInfoProto& proto) const {
    check_text(proto.name(), "graph input or output");
    OnnxValue value;
    value.name = proto.name();
    const ::onnx::TypeProto& type = proto.type();
    if (!type.has_tensor_type()) {
      value.kind = type.has_sequence_type()        ? "sequence"
                   : type.has_optional_type()      ? "optional"
                   : type.has_map_type()           ? "map"
                   : type.has_sparse_tensor_type() ? "sparse tensor"
                                                   : "value without type";
      return value;
    }
    value.type = static_cast<OnnxType>(type.tensor_type().elem_type());
    if (!type.tensor_type().has_shape()) return value;
    value.shape.emplace();
    for (const auto& dimension : type.tensor_type().shape().dim()) {
      if (dimension.has_dim_value() && dimension.dim_value() != -1) {  // -1: some exporters' open one
        value.shape->emplace_back(dimension.dim_value());
      } else {
        value.shape->emplace_back(dimension.dim_param());
      }
    }
    return value;
  }

  ::onnx::ModelProto& proto_;
  OnnxModel model_;
};

}  // namespace

OnnxModel read_onnx_model(const std::string& path) {
  ::onnx::ModelProto proto;
  {
    const std::vector<std::byte> bytes = read_file(path, {"an ONNX model", kMaxFileBytes});
    if (bytes.empty()) throw InputError(Problem{path, "", "an empty file", "an ONNX model", kDamagedHint});
    onnx_format::check_wire_format(bytes, path);
    if (!proto.ParsePartialFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
      throw InputError(
          Problem{path, "", "messages that protobuf does not read", "a serialized ModelProto", kDamagedHint});
    }
  }
  return ModelConverter(proto, path).convert();
}

}  // namespace qsim
