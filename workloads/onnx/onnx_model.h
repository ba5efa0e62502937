// An .onnx file as plain structs: structure and sizes checked, nothing interpreted yet. Protobuf's classes
// stay behind this header.
//
// Source: onnx.proto and docs/IR.md of ONNX 1.12 (github.com/onnx/onnx).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace qsim {

/// An operator set that the model imports. The default domain is "" ("ai.onnx" in the file means the same).
struct OnnxOpset {
  std::string domain;
  std::int64_t version = 0;
};

/// A dimension: a size, or the name of one that is open ("batch", or "" without a name).
using OnnxDimension = std::variant<std::int64_t, std::string>;

/// A declared input or output of the graph.
struct OnnxValue {
  std::string name;
  std::string element_type;  ///< TensorProto.DataType: "FLOAT", "INT8"; empty where it is no tensor.
  std::optional<std::vector<OnnxDimension>> shape;  ///< Absent: not declared.
};

/// Data of a tensor that lies in another file.
struct OnnxExternalData {
  std::string location;  ///< Relative to the model's folder, as the file says; it may be hostile.
  std::int64_t offset = 0;
  std::optional<std::int64_t> length;  ///< Absent: to the end of the file.
};

struct OnnxInitializer {
  std::string name;
  std::string element_type;
  std::vector<std::int64_t> shape;
  std::optional<OnnxExternalData> external_data;
};

struct OnnxNode {
  std::string name;  ///< The file's, else its first output's, else "node_<index>".
  std::string op_type;
  std::string domain;                        ///< "" is the default.
  std::vector<std::string> inputs, outputs;  ///< Names of values; "" where an optional one is absent.
  std::vector<std::string> attributes;       ///< Names.
  std::string place;                         ///< "graph node 7 Conv \"conv1\""
};

struct OnnxModel {
  std::string file;
  std::int64_t ir_version = 0;
  std::string producer;  ///< "pytorch 1.13.1"; empty where the file does not say.
  std::string graph_name;
  std::vector<OnnxOpset> opsets;
  std::vector<OnnxNode> nodes;  ///< Of the main graph, in its order.
  std::vector<OnnxValue> inputs, outputs;
  std::vector<OnnxInitializer> initializers;
  std::vector<std::string> functions;  ///< Operators that the model itself defines: "domain.name".
};

/// Reads a model of at most 2 GiB (protobuf's limit). Throws InputError with the byte where the file is
/// damaged, or for a model without a graph. Data in other files is named, not opened.
[[nodiscard]] OnnxModel read_onnx_model(const std::string& path);

}  // namespace qsim
