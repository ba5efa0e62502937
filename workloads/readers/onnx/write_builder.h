// Private to the ONNX writer: a ModelProto under construction.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "workloads/graph/tensor.h"

namespace onnx {
class ModelProto;
class NodeProto;
}  // namespace onnx

namespace qsim::onnx_format {

inline constexpr std::int64_t kOpset = 21;

/// TensorProto.DataType of an element type.
[[nodiscard]] std::int32_t data_type(ElementType type);

class ModelBuilder {
 public:
  explicit ModelBuilder(const std::string& graph_name);
  ModelBuilder(const ModelBuilder&) = delete;
  ModelBuilder& operator=(const ModelBuilder&) = delete;
  ~ModelBuilder();

  /// A node whose attributes may be set on the result until the next one is added. Its name is unique: of
  /// equal names the later ones get "#2", "#3".
  ::onnx::NodeProto& node(const std::string& op_type, const std::string& name,
                          const std::vector<std::string>& inputs, const std::string& output,
                          const std::string& domain = "");
  /// Constant under a name that no other value has; returns it. Equal calls share one (by name and content).
  /// `is_own`: the name is reserved for it.
  std::string constant(const std::string& name, const TensorData& data, bool is_own = false);
  std::string scalar(const std::string& name, float value);
  std::string floats(const std::string& name, std::span<const float> values);
  std::string integers(const std::string& name, std::span<const std::int64_t> values);

  void input(const std::string& name, std::int32_t type, const Shape& shape);
  void output(const std::string& name, std::int32_t type, const Shape& shape);

  /// Keeps a name for own_value().
  void reserve(const std::string& name) { reserved_.insert(name); }
  /// The reserved name itself, at the first call; then as unique_value().
  std::string own_value(const std::string& name);
  /// A name of a value that is not taken and not reserved: `wanted`, or with "#2", "#3" ..
  std::string unique_value(const std::string& wanted);

  /// The last node writes into another value.
  void set_last_output(const std::string& value);
  [[nodiscard]] ::onnx::ModelProto& model() { return *model_; }
  [[nodiscard]] std::int64_t constant_bytes() const { return constant_bytes_; }

 private:
  std::unique_ptr<::onnx::ModelProto> model_;
  std::set<std::string> node_names_, value_names_, reserved_;
  std::map<std::string, std::string> constants_;  ///< Wanted name -> the bytes that it has.
  std::int64_t constant_bytes_ = 0;
};

void set_int(::onnx::NodeProto& node, const char* name, std::int64_t value);
void set_float(::onnx::NodeProto& node, const char* name, float value);
void set_text(::onnx::NodeProto& node, const char* name, const std::string& value);
void set_ints(::onnx::NodeProto& node, const char* name, const std::vector<std::int64_t>& values);

}  // namespace qsim::onnx_format
