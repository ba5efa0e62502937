// Folding of operators that make values or change their type: Constant, ConstantOfShape, Range, Cast, and the
// quantization of constants.
#include <algorithm>
#include <cmath>

#include "hw_models/arithmetic/integer_format.h"
#include "workloads/graph/strided_copy.h"
#include "workloads/readers/onnx/fold_functions.h"

namespace qsim::onnx_format {
namespace {

OnnxTensor scalar_list(OnnxType type, std::int64_t count, bool is_list) {
  return make_onnx_tensor(type, is_list ? Shape{count} : Shape{});
}

/// Which element of the scales belongs to an element of the tensor: all, one a slice of `axis`, or one a
/// block of `block_size` along it.
class ScaleIndex {
 public:
  ScaleIndex(const FoldRequest& request, const OnnxTensor& x, const OnnxTensor& scale)
      : scale_count_(scale.size()) {
    const std::int64_t block_size = request.attributes.integer("block_size", 0);
    const auto rank = static_cast<std::int64_t>(x.shape.size());
    const std::int64_t given = request.attributes.integer("axis", 1);
    if (scale_count_ == 1 && block_size == 0) return;
    const auto axis = static_cast<std::size_t>(wrapped_index(request, "axis", given, rank));
    inner_ = row_major_strides(x.shape)[axis];
    size_ = x.shape[axis];
    Shape expected{size_};
    if (block_size < 0) request.fail("attribute block_size", std::to_string(block_size), "0 or more");
    if (block_size > 0) {
      block_ = block_size;
      blocks_ = (size_ + block_size - 1) / block_size;
      expected = x.shape;
      expected[axis] = blocks_;
    }
    if (scale.shape != expected) {
      request.fail("scale", "shape " + to_string(scale.shape), "shape " + to_string(expected));
    }
  }
  [[nodiscard]] std::int64_t operator()(std::int64_t i) const {
    if (size_ == 0) return 0;
    const std::int64_t slice = i / inner_ % size_;
    if (block_ == 0) return slice;
    return (i / (inner_ * size_) * blocks_ + slice / block_) * inner_ + i % inner_;
  }

 private:
  std::int64_t scale_count_;
  std::int64_t inner_ = 1, size_ = 0, block_ = 0, blocks_ = 0;
};

}  // namespace

std::optional<OnnxTensor> fold_constant(const FoldRequest& request) {
  const Attributes& attributes = request.attributes;
  if (const OnnxTensor* value = attributes.tensor("value")) return *value;
  if (attributes.has("value_int")) {
    OnnxTensor result = scalar_list(OnnxType::int64, 1, false);
    result.put<std::int64_t>(0, attributes.required_integer("value_int"));
    return result;
  }
  if (attributes.has("value_float")) {
    OnnxTensor result = scalar_list(OnnxType::float32, 1, false);
    result.put<float>(0, attributes.real("value_float", 0.0F));
    return result;
  }
  if (const auto values = attributes.integers("value_ints")) {
    OnnxTensor result = scalar_list(OnnxType::int64, static_cast<std::int64_t>(values->size()), true);
    for (std::size_t i = 0; i < values->size(); ++i)
      result.put<std::int64_t>(static_cast<std::int64_t>(i), (*values)[i]);
    return result;
  }
  return std::nullopt;
}

std::optional<OnnxTensor> fold_constant_of_shape(const FoldRequest& request) {
  OnnxTensor one = make_onnx_tensor(OnnxType::float32, {1});
  if (const OnnxTensor* value = request.attributes.tensor("value")) one = *value;
  if (one.size() != 1 || one.bytes.empty())
    request.fail("attribute value", "more than one element", "one element");
  OnnxTensor result = make_folded(request, one.type, request.integers(0));
  for (std::size_t at = 0; at < result.bytes.size(); at += one.bytes.size())
    std::copy(one.bytes.begin(), one.bytes.end(), result.bytes.begin() + static_cast<std::ptrdiff_t>(at));
  return result;
}

std::optional<OnnxTensor> fold_range(const FoldRequest& request) {
  const OnnxType type = request.input(0).type;
  if (type != OnnxType::int64 && type != OnnxType::int32) return std::nullopt;
  std::vector<std::int64_t> limits;
  for (std::size_t i = 0; i < 3; ++i) {
    const std::vector<std::int64_t> values = request.integers(i);
    if (values.size() != 1) request.fail("input " + std::to_string(i), "a list", "one number");
    limits.push_back(values[0]);
  }
  if (limits[2] == 0) request.fail("delta", "0", "a step that moves");
  const double length = std::ceil((static_cast<double>(limits[1]) - static_cast<double>(limits[0])) /
                                  static_cast<double>(limits[2]));
  constexpr double kLongest = 1e9;  // make_folded has the limit.
  OnnxTensor result =
      make_folded(request, type, {static_cast<std::int64_t>(std::clamp(length, 0.0, kLongest))});
  for (std::int64_t i = 0, count = result.size(); i < count; ++i) {
    // Values lie between the limits; only the product on the way may leave 64 bits.
    const auto value =
        static_cast<std::int64_t>(static_cast<std::uint64_t>(limits[0]) +
                                  static_cast<std::uint64_t>(i) * static_cast<std::uint64_t>(limits[2]));
    type == OnnxType::int64 ? result.put<std::int64_t>(i, value)
                            : result.put<std::int32_t>(i, static_cast<std::int32_t>(value));
  }
  return result;
}

std::optional<OnnxTensor> fold_cast(const FoldRequest& request) {
  const auto type = static_cast<OnnxType>(request.attributes.required_integer("to"));
  request.attributes.ignore("saturate");
  const OnnxTensor& x = request.input(0);
  const bool has_values = onnx_element_bytes(x.type) != 0;
  const bool can_write = type == OnnxType::boolean || type == OnnxType::float32 ||
                         type == OnnxType::float64 ||
                         (onnx_integer_bits(type) > 4 && type != OnnxType::uint64);
  if (!has_values || !can_write) return std::nullopt;
  return cast_onnx_tensor(x, type);
}

/// real = (q - zero_point) * scale, in float32.
std::optional<OnnxTensor> fold_dequantize(const FoldRequest& request) {
  const OnnxTensor& x = request.input(0);
  const OnnxTensor& scale = request.input(1);
  if (!x.is_integer() || scale.type != OnnxType::float32)
    request.fail("inputs", onnx_type_name(x.type) + " and " + onnx_type_name(scale.type),
                 "integers and FLOAT");
  const ScaleIndex index(request, x, scale);
  const OnnxTensor* zero_point = request.has(2) ? request.inputs[2] : nullptr;
  if (zero_point != nullptr && (!zero_point->is_integer() || zero_point->size() != scale.size()))
    request.fail("zero point", to_string(zero_point->shape), "as many as scales");
  OnnxTensor result = make_onnx_tensor(OnnxType::float32, x.shape);
  for (std::int64_t i = 0, count = x.size(); i < count; ++i) {
    const std::int64_t s = index(i);
    const std::int64_t zero = zero_point != nullptr ? zero_point->integer(s) : 0;
    result.put<float>(i, static_cast<float>(x.integer(i) - zero) * scale.get<float>(s));
  }
  return result;
}

/// q = clamp(rne(x / scale) + zero_point), the division in float32.
std::optional<OnnxTensor> fold_quantize(const FoldRequest& request) {
  const OnnxTensor& x = request.input(0);
  const OnnxTensor& scale = request.input(1);
  if (x.type != OnnxType::float32 || scale.type != OnnxType::float32) return std::nullopt;
  const ScaleIndex index(request, x, scale);
  const OnnxTensor* zero_point = request.has(2) ? request.inputs[2] : nullptr;
  OnnxType type = static_cast<OnnxType>(request.attributes.integer("output_dtype", 0));
  if (zero_point != nullptr) type = zero_point->type;
  if (type == OnnxType::undefined) type = OnnxType::uint8;
  request.attributes.ignore("saturate");
  const int bits = onnx_integer_bits(type);
  if (bits == 0 || bits > 16) return std::nullopt;
  if (zero_point != nullptr && zero_point->size() != scale.size())
    request.fail("zero point", to_string(zero_point->shape), "as many as scales");
  const arithmetic::IntegerFormat format{bits, onnx_is_signed(type)};
  OnnxTensor result = make_onnx_tensor(type, x.shape);
  for (std::int64_t i = 0, count = x.size(); i < count; ++i) {
    const std::int64_t s = index(i);
    const auto zero = static_cast<float>(zero_point != nullptr ? zero_point->integer(s) : 0);
    const float real = std::nearbyint(x.get<float>(i) / scale.get<float>(s)) + zero;
    if (std::isnan(real)) request.fail("element " + std::to_string(i), "no number", "numbers");
    const auto q = static_cast<std::int64_t>(
        std::clamp(real, static_cast<float>(format.min()), static_cast<float>(format.max())));
    bits == 16 ? result.put<std::int16_t>(i, static_cast<std::int16_t>(q))
               : result.put<std::int8_t>(i, static_cast<std::int8_t>(q));
  }
  return result;
}

}  // namespace qsim::onnx_format
