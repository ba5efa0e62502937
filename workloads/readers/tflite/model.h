// A .tflite file as plain structs: sizes and indices checked, nothing interpreted yet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "workloads/graph/tensor.h"
#include "workloads/readers/tflite/schema_generated.h"

namespace qsim::tflite {

using file::ElementCode;

/// "INT8"; "type 99" for what is no type.
[[nodiscard]] std::string type_name(ElementCode type);

struct ModelTensor {
  std::string name;  ///< Unique: empty names and repeated ones are replaced.
  Shape shape;
  ElementCode type = ElementCode::FLOAT32;
  std::span<const std::byte> data;  ///< Empty: not a constant.
  std::vector<float> scales;
  std::vector<std::int64_t> zero_points;
  std::int32_t quantized_dimension = 0;
  bool is_variable = false;
  bool is_sparse = false;
};

struct ModelOperator {
  std::int32_t code = 0;                      ///< As in operator_table.h.
  std::string name;                           ///< "CONV_2D", or the custom operator's name.
  std::string custom_name;                    ///< Of a custom operator alone.
  std::string place;                          ///< "subgraph 0 operator 7 CONV_2D"
  std::vector<std::int32_t> inputs, outputs;  ///< Tensor indices; -1 where an optional input is absent.
  const file::Operator* table = nullptr;      ///< Where its options stand.
};

/// Subgraph 0, the one that an inference runs.
struct Model {
  std::string file;
  std::vector<ModelTensor> tensors;
  std::vector<ModelOperator> operators;
  std::vector<std::int32_t> inputs, outputs;
  std::size_t subgraph_count = 0;
};

/// The model in the bytes of file `path`, which it refers to. Throws InputError where the FlatBuffers
/// verifier rejects them or an index or a size is out of range.
[[nodiscard]] Model read_model(std::span<const std::byte> bytes, const std::string& path);

}  // namespace qsim::tflite
