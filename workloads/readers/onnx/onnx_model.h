// An .onnx file as plain structs: structure, sizes and constants read and checked, no operator interpreted
// yet. Protobuf's classes stay behind this header.
//
// Source: onnx.proto and docs/IR.md of ONNX 1.12 (github.com/onnx/onnx).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "workloads/readers/onnx/data_type.h"

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
  std::string kind = "tensor";  ///< "sequence", "optional", "map", "sparse tensor": kinds that are refused.
  OnnxType type = OnnxType::undefined;
  std::optional<std::vector<OnnxDimension>> shape;  ///< Absent: not declared.
};

struct OnnxInitializer {
  std::string name;
  OnnxTensor tensor;
};

/// An attribute's value; std::monostate for graphs, types and lists of tensors, which no operator here takes.
struct OnnxAttribute {
  std::string name;
  std::variant<std::monostate, std::int64_t, float, std::string, std::vector<std::int64_t>,
               std::vector<float>, std::vector<std::string>, OnnxTensor>
      value;
};

struct OnnxNode {
  std::string name;  ///< The file's, else its first output's, else "node_<index>".
  std::string op_type;
  std::string domain;                        ///< "" is the default.
  std::vector<std::string> inputs, outputs;  ///< Names of values; "" where an optional one is absent.
  std::vector<OnnxAttribute> attributes;
  std::string place;                       ///< "graph node 7 Conv \"conv1\""
  std::optional<std::size_t> merged_into;  ///< Left out: the other one does what it did.
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

/// Reads a model of at most 2 GiB (protobuf's limit) and its external data. Throws InputError with the byte
/// where the file is damaged, or for a model without a graph.
[[nodiscard]] OnnxModel read_onnx_model(const std::string& path);

}  // namespace qsim
