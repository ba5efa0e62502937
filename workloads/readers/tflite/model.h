// A .tflite file as plain structs: sizes and indices checked, nothing interpreted yet.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "workloads/graph/tensor.h"
#include "workloads/readers/tflite/flat_buffer.h"
#include "workloads/readers/tflite/schema.h"

namespace qsim::tflite {

struct ModelTensor {
  std::string name;  ///< Unique: empty names and repeated ones are replaced.
  Shape shape;
  TypeCode type = TypeCode::float32;
  std::span<const std::byte> data;  ///< Empty: not a constant.
  std::vector<float> scales;
  std::vector<std::int64_t> zero_points;
  std::int32_t quantized_dimension = 0;
  bool is_variable = false;
  bool is_sparse = false;
};

struct ModelOperator {
  OperatorCode code = OperatorCode::custom;
  std::string name;                           ///< "CONV_2D", or the custom operator's name.
  std::string custom_name;                    ///< Of a custom operator alone.
  std::string place;                          ///< "subgraph 0 operator 7 CONV_2D"
  std::vector<std::int32_t> inputs, outputs;  ///< Tensor indices; -1 where an optional input is absent.
  std::optional<FlatTable> options;
};

/// Subgraph 0, the one that an inference runs.
struct Model {
  std::string file;
  std::vector<ModelTensor> tensors;
  std::vector<ModelOperator> operators;
  std::vector<std::int32_t> inputs, outputs;
  std::size_t subgraph_count = 0;
};

/// Runs the FlatBuffers verifier, then reads; both have to accept the file. The result refers to the buffer.
/// Throws InputError.
[[nodiscard]] Model read_model(const FlatBuffer& buffer);

}  // namespace qsim::tflite
