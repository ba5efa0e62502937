// Element types of ONNX tensors, and constants with their values.
//
// Source: TensorProto.DataType in onnx.proto; types that ONNX 1.12 does not know arrive as their numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "workloads/graph/tensor.h"

namespace qsim {

/// TensorProto.DataType by its number in the file. Other numbers occur (float8 and later types): they are
/// named and refused where they are used.
enum class OnnxType : std::int32_t {
  undefined = 0,
  float32 = 1,
  uint8 = 2,
  int8 = 3,
  uint16 = 4,
  int16 = 5,
  int32 = 6,
  int64 = 7,
  string = 8,
  boolean = 9,
  float16 = 10,
  float64 = 11,
  uint32 = 12,
  uint64 = 13,
  bfloat16 = 16,
  uint4 = 21,
  int4 = 22,
};

/// "FLOAT", "INT8", "INT4", "data type 23".
[[nodiscard]] std::string onnx_type_name(OnnxType type);
/// Bytes of an element in memory: a 4-bit integer has a byte of its own, a boolean too. 0 for types whose
/// values are not read (strings, float8).
[[nodiscard]] std::size_t onnx_element_bytes(OnnxType type);
/// Width of an integer type in bits (4, 8, 16, 32, 64); 0 for the others, booleans included.
[[nodiscard]] int onnx_integer_bits(OnnxType type);
[[nodiscard]] bool onnx_is_signed(OnnxType type);
/// The graph's element type for one that a network computes with; nothing for the others. 4-bit integers take
/// a byte.
[[nodiscard]] std::optional<ElementType> graph_element_type(OnnxType type);

/// A constant: C order, little-endian, 4-bit integers widened to bytes, booleans 0 or 1.
struct OnnxTensor {
  OnnxType type = OnnxType::float32;
  Shape shape;  ///< May have dimensions of 0, and none for a scalar.
  std::vector<std::byte> bytes;

  [[nodiscard]] std::int64_t size() const { return element_count(shape); }
  /// Element `index`; T has the element's size (asserted).
  template <typename T>
  [[nodiscard]] T get(std::int64_t index) const {
    T value{};
    std::memcpy(&value, bytes.data() + static_cast<std::size_t>(index) * sizeof(T), sizeof(T));
    return value;
  }
  template <typename T>
  void put(std::int64_t index, T value) {
    std::memcpy(bytes.data() + static_cast<std::size_t>(index) * sizeof(T), &value, sizeof(T));
  }
  /// Element `index` of an integer or boolean tensor.
  [[nodiscard]] std::int64_t integer(std::int64_t index) const;
  /// Element `index` of any tensor with values, exactly (uint64 above 2^53 rounds).
  [[nodiscard]] double real(std::int64_t index) const;
  [[nodiscard]] bool is_integer() const { return onnx_integer_bits(type) != 0; }
  [[nodiscard]] bool is_real() const;
};

/// Zero-filled; the caller has checked the size.
[[nodiscard]] OnnxTensor make_onnx_tensor(OnnxType type, const Shape& shape);
/// Converts the elements as Cast does: float to integer truncates (and is clamped to the type), to boolean
/// tests for zero.
[[nodiscard]] OnnxTensor cast_onnx_tensor(const OnnxTensor& tensor, OnnxType type);

}  // namespace qsim
