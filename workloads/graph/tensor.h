// Tensors as stored integers (or floats): a type, a shape and little-endian bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

namespace qsim {

/// How one element is stored in host memory and in safetensors files.
enum class ElementType { i8, u8, i16, u16, i32, i64, f32 };

[[nodiscard]] std::size_t element_size_bytes(ElementType type);
/// "I8", "U8", "I16", "U16", "I32", "I64", "F32": the names that safetensors uses.
[[nodiscard]] const char* element_type_name(ElementType type);
/// The smallest of I8, U8, I16, U16, I32 that holds every integer of `bits` bits (1..32).
[[nodiscard]] ElementType smallest_element_type(int bits, bool is_signed);

using Shape = std::vector<std::int64_t>;

/// Product of the dimensions (1 for a scalar). The readers have checked that it does not overflow.
[[nodiscard]] std::int64_t element_count(const Shape& shape);
[[nodiscard]] std::string to_string(const Shape& shape);  ///< "1x32x32x3"

/// Values of a tensor: C order (last dimension fastest), stored integers unscaled.
struct TensorData {
  ElementType type = ElementType::i8;
  Shape shape;
  std::vector<std::byte> bytes;

  TensorData() = default;
  /// Zero-filled.
  TensorData(ElementType type, Shape shape);

  [[nodiscard]] std::int64_t size() const { return element_count(shape); }
  /// Typed view; T must match `type` (asserted).
  template <typename T>
  [[nodiscard]] std::span<T> as() {
    return {reinterpret_cast<T*>(bytes.data()), bytes.size() / sizeof(T)};
  }
  template <typename T>
  [[nodiscard]] std::span<const T> as() const {
    return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
  }
  /// Element `index` as an integer (integer types only).
  [[nodiscard]] std::int64_t at(std::int64_t index) const;
  /// Stores an integer, truncated to the element type.
  void set(std::int64_t index, std::int64_t value);
};

}  // namespace qsim
