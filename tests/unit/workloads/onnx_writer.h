// Small ONNX models for tests, written with protobuf's classes, which the reader hides.
#pragma once

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <fstream>
#include <initializer_list>
#include <string>
#include <vector>

#include "tests/unit/base/scratch_folder.h"
#include "workloads/readers/onnx/onnx_reader.h"

/// Values are named; nodes are added in their order.
class OnnxWriter {
 public:
  explicit OnnxWriter(std::int64_t opset = 13) {
    model.set_ir_version(8);
    import("", opset);
  }

  void import(const std::string& domain, std::int64_t version) {
    auto* opset = model.add_opset_import();
    opset->set_domain(domain);
    opset->set_version(version);
  }

  /// A dimension of -1 is open and called "N".
  void input(const std::string& name, const std::vector<std::int64_t>& shape,
             int type = ::onnx::TensorProto::FLOAT) {
    declare(graph().add_input(), name, type, shape);
  }
  void output(const std::string& name) { graph().add_output()->set_name(name); }

  void constant(const std::string& name, const std::vector<std::int64_t>& shape,
                const std::vector<float>& values) {
    auto* tensor = constant_of(name, shape, ::onnx::TensorProto::FLOAT);
    for (const float value : values) tensor->add_float_data(value);
  }
  void integers(const std::string& name, const std::vector<std::int64_t>& shape,
                const std::vector<std::int64_t>& values, int type = ::onnx::TensorProto::INT64) {
    auto* tensor = constant_of(name, shape, type);
    for (const std::int64_t value : values) {
      if (type == ::onnx::TensorProto::INT64) {
        tensor->add_int64_data(value);
      } else {
        tensor->add_int32_data(static_cast<std::int32_t>(value));
      }
    }
  }

  ::onnx::NodeProto& node(const std::string& op_type, const std::vector<std::string>& inputs,
                          const std::vector<std::string>& outputs, const std::string& domain = "") {
    auto* added = graph().add_node();
    added->set_name("n_" + outputs.at(0));
    added->set_op_type(op_type);
    added->set_domain(domain);
    for (const std::string& input : inputs) added->add_input(input);
    for (const std::string& output : outputs) added->add_output(output);
    return *added;
  }

  static void set(::onnx::NodeProto& node, const std::string& name, std::int64_t value) {
    auto* attribute = add(node, name, ::onnx::AttributeProto::INT);
    attribute->set_i(value);
  }
  /// A list in braces is one, of one element too.
  static void set(::onnx::NodeProto& node, const std::string& name,
                  std::initializer_list<std::int64_t> values) {
    auto* attribute = add(node, name, ::onnx::AttributeProto::INTS);
    for (const std::int64_t value : values) attribute->add_ints(value);
  }
  static void set_text(::onnx::NodeProto& node, const std::string& name, const std::string& value) {
    add(node, name, ::onnx::AttributeProto::STRING)->set_s(value);
  }
  static void set_real(::onnx::NodeProto& node, const std::string& name, float value) {
    add(node, name, ::onnx::AttributeProto::FLOAT)->set_f(value);
  }

  [[nodiscard]] ::onnx::GraphProto& graph() { return *model.mutable_graph(); }

  [[nodiscard]] qsim::Graph read(const qsim::InputShapes& shapes = {}) const {
    const ScratchFolder folder;
    const std::string path = folder.path("net.onnx");
    std::ofstream(path, std::ios::binary) << model.SerializeAsString();
    return qsim::read_onnx(path, {shapes});
  }

  ::onnx::ModelProto model;

 private:
  ::onnx::TensorProto* constant_of(const std::string& name, const std::vector<std::int64_t>& shape,
                                   int type) {
    auto* tensor = graph().add_initializer();
    tensor->set_name(name);
    tensor->set_data_type(type);
    for (const std::int64_t size : shape) tensor->add_dims(size);
    return tensor;
  }

  static void declare(::onnx::ValueInfoProto* value, const std::string& name, int type,
                      const std::vector<std::int64_t>& shape) {
    value->set_name(name);
    auto* tensor = value->mutable_type()->mutable_tensor_type();
    tensor->set_elem_type(type);
    auto* dimensions = tensor->mutable_shape();
    for (const std::int64_t size : shape) {
      if (size < 0) {
        dimensions->add_dim()->set_dim_param("N");
      } else {
        dimensions->add_dim()->set_dim_value(size);
      }
    }
  }

  static ::onnx::AttributeProto* add(::onnx::NodeProto& node, const std::string& name,
                                     ::onnx::AttributeProto::AttributeType type) {
    auto* attribute = node.add_attribute();
    attribute->set_name(name);
    attribute->set_type(type);
    return attribute;
  }
};
