#include "workloads/graph/tensor.h"

#include <cassert>
#include <stdexcept>

namespace qsim {
namespace {

template <typename T>
T load(const std::byte* address) {
  T value;
  std::memcpy(&value, address, sizeof(T));
  return value;
}

template <typename T>
void store(std::byte* address, std::int64_t value) {
  const T narrowed = static_cast<T>(value);
  std::memcpy(address, &narrowed, sizeof(T));
}

}  // namespace

std::size_t element_size_bytes(ElementType type) {
  switch (type) {
    case ElementType::i8:
    case ElementType::u8:
      return 1;
    case ElementType::i16:
    case ElementType::u16:
      return 2;
    case ElementType::i32:
    case ElementType::f32:
      return 4;
    case ElementType::i64:
      return 8;
  }
  throw std::logic_error("element type out of range");
}

const char* element_type_name(ElementType type) {
  switch (type) {
    case ElementType::i8:
      return "I8";
    case ElementType::u8:
      return "U8";
    case ElementType::i16:
      return "I16";
    case ElementType::u16:
      return "U16";
    case ElementType::i32:
      return "I32";
    case ElementType::i64:
      return "I64";
    case ElementType::f32:
      return "F32";
  }
  throw std::logic_error("element type out of range");
}

ElementType smallest_element_type(int bits, bool is_signed) {
  if (bits <= 8) return is_signed ? ElementType::i8 : ElementType::u8;
  if (bits <= 16) return is_signed ? ElementType::i16 : ElementType::u16;
  return ElementType::i32;
}

std::int64_t element_count(const Shape& shape) {
  std::int64_t count = 1;
  for (const std::int64_t dimension : shape) count *= dimension;
  return count;
}

std::string to_string(const Shape& shape) {
  if (shape.empty()) return "scalar";
  std::string text;
  for (const std::int64_t dimension : shape) {
    if (!text.empty()) text += 'x';
    text += std::to_string(dimension);
  }
  return text;
}

TensorData::TensorData(ElementType element_type, Shape dimensions)
    : type(element_type),
      shape(std::move(dimensions)),
      bytes(static_cast<std::size_t>(element_count(shape)) * element_size_bytes(type)) {}

std::int64_t TensorData::at(std::int64_t index) const {
  assert(index >= 0 && index < size());
  const std::byte* address = bytes.data() + static_cast<std::size_t>(index) * element_size_bytes(type);
  switch (type) {
    case ElementType::i8:
      return load<std::int8_t>(address);
    case ElementType::u8:
      return load<std::uint8_t>(address);
    case ElementType::i16:
      return load<std::int16_t>(address);
    case ElementType::u16:
      return load<std::uint16_t>(address);
    case ElementType::i32:
      return load<std::int32_t>(address);
    case ElementType::i64:
      return load<std::int64_t>(address);
    case ElementType::f32:
      break;
  }
  throw std::logic_error("TensorData::at: a float tensor has no integers");
}

void TensorData::set(std::int64_t index, std::int64_t value) {
  assert(index >= 0 && index < size());
  std::byte* address = bytes.data() + static_cast<std::size_t>(index) * element_size_bytes(type);
  switch (type) {
    case ElementType::i8:
    case ElementType::u8:
      return store<std::uint8_t>(address, value);
    case ElementType::i16:
    case ElementType::u16:
      return store<std::uint16_t>(address, value);
    case ElementType::i32:
      return store<std::uint32_t>(address, value);
    case ElementType::i64:
      return store<std::int64_t>(address, value);
    case ElementType::f32:
      break;
  }
  throw std::logic_error("TensorData::set: a float tensor takes no integers");
}

}  // namespace qsim
