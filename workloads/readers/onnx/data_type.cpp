#include "workloads/readers/onnx/data_type.h"

#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <type_traits>

namespace qsim {
namespace {

struct TypeRow {
  OnnxType type;
  const char* name;
  std::size_t bytes;
  int integer_bits;
  bool is_signed;
};

constexpr std::array kTypes{
    TypeRow{OnnxType::undefined, "UNDEFINED", 0, 0, false},
    TypeRow{OnnxType::float32, "FLOAT", 4, 0, true},
    TypeRow{OnnxType::uint8, "UINT8", 1, 8, false},
    TypeRow{OnnxType::int8, "INT8", 1, 8, true},
    TypeRow{OnnxType::uint16, "UINT16", 2, 16, false},
    TypeRow{OnnxType::int16, "INT16", 2, 16, true},
    TypeRow{OnnxType::int32, "INT32", 4, 32, true},
    TypeRow{OnnxType::int64, "INT64", 8, 64, true},
    TypeRow{OnnxType::string, "STRING", 0, 0, false},
    TypeRow{OnnxType::boolean, "BOOL", 1, 0, false},
    TypeRow{OnnxType::float16, "FLOAT16", 2, 0, true},
    TypeRow{OnnxType::float64, "DOUBLE", 8, 0, true},
    TypeRow{OnnxType::uint32, "UINT32", 4, 32, false},
    TypeRow{OnnxType::uint64, "UINT64", 8, 64, false},
    TypeRow{OnnxType::bfloat16, "BFLOAT16", 2, 0, true},
    TypeRow{OnnxType::uint4, "UINT4", 1, 4, false},
    TypeRow{OnnxType::int4, "INT4", 1, 4, true},
};

const TypeRow* find_type(OnnxType type) {
  for (const TypeRow& row : kTypes) {
    if (row.type == type) return &row;
  }
  return nullptr;
}

/// Sign, 5 bits of exponent (bias 15), 10 of fraction.
double half_to_double(std::uint16_t bits) {
  const int exponent = (bits >> 10) & 0x1F;
  const int fraction = bits & 0x3FF;
  const double sign = (bits & 0x8000) != 0 ? -1.0 : 1.0;
  if (exponent == 0) return sign * std::ldexp(fraction, -24);
  if (exponent == 31) {
    return fraction == 0 ? sign * std::numeric_limits<double>::infinity()
                         : std::numeric_limits<double>::quiet_NaN();
  }
  return sign * std::ldexp(1024 + fraction, exponent - 25);
}

/// Truncates and clamps; NaN becomes 0.
template <typename T>
T to_integer(double value) {
  if (std::isnan(value)) return 0;
  if (value <= static_cast<double>(std::numeric_limits<T>::min())) return std::numeric_limits<T>::min();
  // 2^63 - 1 is no double: what reaches 2^63 is outside.
  if (value >= static_cast<double>(std::numeric_limits<T>::max())) return std::numeric_limits<T>::max();
  return static_cast<T>(value);
}

template <typename T>
void put_cast(OnnxTensor& result, const OnnxTensor& source, std::int64_t i) {
  if constexpr (std::is_floating_point_v<T>) {
    result.put<T>(i, source.is_real() ? static_cast<T>(source.real(i)) : static_cast<T>(source.integer(i)));
  } else {
    // Integers wrap, as a C++ conversion does.
    result.put<T>(i, source.is_real() ? to_integer<T>(source.real(i)) : static_cast<T>(source.integer(i)));
  }
}

}  // namespace

std::string onnx_type_name(OnnxType type) {
  const TypeRow* row = find_type(type);
  return row != nullptr ? row->name : "data type " + std::to_string(static_cast<std::int32_t>(type));
}

std::size_t onnx_element_bytes(OnnxType type) {
  const TypeRow* row = find_type(type);
  return row != nullptr ? row->bytes : 0;
}

int onnx_integer_bits(OnnxType type) {
  const TypeRow* row = find_type(type);
  return row != nullptr ? row->integer_bits : 0;
}

bool onnx_is_signed(OnnxType type) {
  const TypeRow* row = find_type(type);
  return row != nullptr && row->is_signed;
}

std::optional<ElementType> graph_element_type(OnnxType type) {
  switch (type) {
    case OnnxType::float32:
      return ElementType::f32;
    case OnnxType::uint8:
    case OnnxType::uint4:
      return ElementType::u8;
    case OnnxType::int8:
    case OnnxType::int4:
      return ElementType::i8;
    case OnnxType::uint16:
      return ElementType::u16;
    case OnnxType::int16:
      return ElementType::i16;
    case OnnxType::int32:
      return ElementType::i32;
    case OnnxType::int64:
      return ElementType::i64;
    default:
      return std::nullopt;
  }
}

bool OnnxTensor::is_real() const {
  return type == OnnxType::float32 || type == OnnxType::float64 || type == OnnxType::float16 ||
         type == OnnxType::bfloat16;
}

std::int64_t OnnxTensor::integer(std::int64_t index) const {
  switch (type) {
    case OnnxType::uint8:
    case OnnxType::uint4:
    case OnnxType::boolean:
      return get<std::uint8_t>(index);
    case OnnxType::int8:
    case OnnxType::int4:
      return get<std::int8_t>(index);
    case OnnxType::uint16:
      return get<std::uint16_t>(index);
    case OnnxType::int16:
      return get<std::int16_t>(index);
    case OnnxType::int32:
      return get<std::int32_t>(index);
    case OnnxType::uint32:
      return get<std::uint32_t>(index);
    case OnnxType::int64:
    case OnnxType::uint64:
      return get<std::int64_t>(index);
    default:
      throw std::logic_error("integer element of a tensor of " + onnx_type_name(type));
  }
}

double OnnxTensor::real(std::int64_t index) const {
  switch (type) {
    case OnnxType::float32:
      return get<float>(index);
    case OnnxType::float64:
      return get<double>(index);
    case OnnxType::float16:
      return half_to_double(get<std::uint16_t>(index));
    case OnnxType::bfloat16:
      return std::bit_cast<float>(static_cast<std::uint32_t>(get<std::uint16_t>(index)) << 16U);
    case OnnxType::uint64:
      return static_cast<double>(get<std::uint64_t>(index));
    default:
      return static_cast<double>(integer(index));
  }
}

OnnxTensor make_onnx_tensor(OnnxType type, const Shape& shape) {
  OnnxTensor tensor{type, shape, {}};
  tensor.bytes.resize(static_cast<std::size_t>(tensor.size()) * onnx_element_bytes(type));
  return tensor;
}

OnnxTensor cast_onnx_tensor(const OnnxTensor& tensor, OnnxType type) {
  OnnxTensor result = make_onnx_tensor(type, tensor.shape);
  for (std::int64_t i = 0, count = tensor.size(); i < count; ++i) {
    switch (type) {
      case OnnxType::float32:
        put_cast<float>(result, tensor, i);
        break;
      case OnnxType::float64:
        put_cast<double>(result, tensor, i);
        break;
      case OnnxType::int8:
        put_cast<std::int8_t>(result, tensor, i);
        break;
      case OnnxType::uint8:
        put_cast<std::uint8_t>(result, tensor, i);
        break;
      case OnnxType::int16:
        put_cast<std::int16_t>(result, tensor, i);
        break;
      case OnnxType::uint16:
        put_cast<std::uint16_t>(result, tensor, i);
        break;
      case OnnxType::int32:
        put_cast<std::int32_t>(result, tensor, i);
        break;
      case OnnxType::uint32:
        put_cast<std::uint32_t>(result, tensor, i);
        break;
      case OnnxType::int64:
        put_cast<std::int64_t>(result, tensor, i);
        break;
      case OnnxType::boolean:
        result.put<std::uint8_t>(i, tensor.real(i) != 0.0 ? 1 : 0);
        break;
      default:
        throw std::logic_error("cast to " + onnx_type_name(type));
    }
  }
  return result;
}

}  // namespace qsim
