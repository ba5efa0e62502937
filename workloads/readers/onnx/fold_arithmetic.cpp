// Folding of arithmetic, element by element with broadcasting, and of reductions over a list.
#include <cmath>

#include "workloads/graph/strided_copy.h"
#include "workloads/readers/onnx/fold_functions.h"

namespace qsim::onnx_format {
namespace {

/// Integers are modulo 2^64, as hardware has it; nothing here overflows in C++'s sense.
template <typename T>
T wrapping(std::uint64_t value) {
  return static_cast<T>(value);
}

template <typename T>
T divide(const FoldRequest& request, T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    return a / b;
  } else {
    if (b == 0) request.fail("input 1", "division by 0", "a divisor");
    return b == -1 ? wrapping<T>(0U - static_cast<std::uint64_t>(a)) : static_cast<T>(a / b);
  }
}

/// Nothing where integers have no such function.
template <typename T>
std::optional<T> apply_binary(const FoldRequest& request, FoldedBinary function, T a, T b) {
  const auto ua = static_cast<std::uint64_t>(a);
  const auto ub = static_cast<std::uint64_t>(b);
  switch (function) {
    case FoldedBinary::add:
      return wrapping<T>(ua + ub);
    case FoldedBinary::sub:
      return wrapping<T>(ua - ub);
    case FoldedBinary::mul:
      return wrapping<T>(ua * ub);
    case FoldedBinary::div:
      return divide(request, a, b);
    case FoldedBinary::min:
      return b < a ? b : a;
    case FoldedBinary::max:
      return a < b ? b : a;
    case FoldedBinary::mod: {
      if (b == 0) request.fail("input 1", "division by 0", "a divisor");
      // The result has the divisor's sign.
      const T rest = b == -1 ? T{0} : static_cast<T>(a % b);
      return rest != 0 && (rest < 0) != (b < 0) ? static_cast<T>(rest + b) : rest;
    }
    default:
      return std::nullopt;
  }
}

template <>
std::optional<float> apply_binary(const FoldRequest& /*request*/, FoldedBinary function, float a, float b) {
  switch (function) {
    case FoldedBinary::add:
      return a + b;
    case FoldedBinary::sub:
      return a - b;
    case FoldedBinary::mul:
      return a * b;
    case FoldedBinary::div:
      return a / b;
    case FoldedBinary::min:
      return std::fmin(a, b);
    case FoldedBinary::max:
      return std::fmax(a, b);
    case FoldedBinary::pow:
      return std::pow(a, b);
    default:
      return std::nullopt;
  }
}

bool is_comparison(FoldedBinary function) {
  return function >= FoldedBinary::equal;
}

template <typename T>
bool compare(FoldedBinary function, T a, T b) {
  switch (function) {
    case FoldedBinary::equal:
      return a == b;
    case FoldedBinary::less:
      return a < b;
    case FoldedBinary::greater:
      return a > b;
    case FoldedBinary::less_or_equal:
      return a <= b;
    default:
      return a >= b;
  }
}

/// Index of each operand's element for every element of the broadcast result.
class BroadcastIndex {
 public:
  BroadcastIndex(const Shape& shape, const Shape& operand) {
    const std::vector<std::int64_t> own = row_major_strides(operand);
    const std::vector<std::int64_t> result = row_major_strides(shape);
    const std::size_t added = shape.size() - operand.size();
    for (std::size_t d = 0; d < operand.size(); ++d) {
      if (operand[d] == 1) continue;
      steps_.push_back({result[d + added], shape[d + added], own[d]});
    }
  }
  [[nodiscard]] std::int64_t operator()(std::int64_t i) const {
    std::int64_t index = 0;
    for (const Step& step : steps_) index += (i / step.divisor) % step.size * step.stride;
    return index;
  }

 private:
  struct Step {
    std::int64_t divisor, size, stride;
  };
  std::vector<Step> steps_;
};

template <typename T>
void put_integer(OnnxTensor& tensor, std::int64_t i, std::int64_t value) {
  tensor.put<T>(i, static_cast<T>(value));
}

void put_integer(OnnxTensor& tensor, std::int64_t i, std::int64_t value) {
  switch (onnx_element_bytes(tensor.type)) {
    case 1:
      return put_integer<std::int8_t>(tensor, i, value);
    case 2:
      return put_integer<std::int16_t>(tensor, i, value);
    case 4:
      return put_integer<std::int32_t>(tensor, i, value);
    default:
      return put_integer<std::int64_t>(tensor, i, value);
  }
}

OnnxTensor binary(const FoldRequest& request, FoldedBinary function, const OnnxTensor& a,
                  const OnnxTensor& b) {
  if (a.type != b.type) request.fail("inputs", "types that differ", "two operands of one type");
  const std::optional<Shape> shape = broadcast_shape(a.shape, b.shape);
  if (!shape) {
    request.fail("inputs", "shapes " + to_string(a.shape) + " and " + to_string(b.shape),
                 "equal dimensions, or 1 where one of them is repeated");
  }
  const auto refuse = [&] {
    request.fail("operator", request.node.op_type + " of " + onnx_type_name(a.type), "a type that it takes");
  };
  OnnxTensor result = make_folded(request, is_comparison(function) ? OnnxType::boolean : a.type, *shape);
  const BroadcastIndex index_a(*shape, a.shape);
  const BroadcastIndex index_b(*shape, b.shape);
  for (std::int64_t i = 0, count = result.size(); i < count; ++i) {
    const std::int64_t ia = index_a(i);
    const std::int64_t ib = index_b(i);
    if (is_comparison(function)) {
      const bool value = a.is_real() ? compare(function, a.real(ia), b.real(ib))
                                     : compare(function, a.integer(ia), b.integer(ib));
      result.put<std::uint8_t>(i, value ? 1 : 0);
    } else if (a.type == OnnxType::float32) {
      const auto value = apply_binary(request, function, a.get<float>(ia), b.get<float>(ib));
      if (!value) refuse();
      result.put<float>(i, *value);
    } else {
      const auto value = apply_binary(request, function, a.integer(ia), b.integer(ib));
      if (!value) refuse();
      put_integer(result, i, *value);
    }
  }
  return result;
}

}  // namespace

std::optional<OnnxTensor> fold_binary(const FoldRequest& request, FoldedBinary function) {
  if (function == FoldedBinary::mod && request.attributes.flag("fmod", false)) return std::nullopt;
  for (const OnnxTensor* input : request.inputs) {
    const bool known = input != nullptr && (input->is_integer() || input->type == OnnxType::float32 ||
                                            (is_comparison(function) && !input->bytes.empty()));
    if (!known) return std::nullopt;
  }
  OnnxTensor result = request.input(0);
  const bool takes_one = function == FoldedBinary::min || function == FoldedBinary::max;
  if (request.inputs.size() < 2 && !takes_one) request.fail("inputs", "1", "2");
  for (std::size_t i = 1; i < request.inputs.size(); ++i)
    result = binary(request, function, result, request.input(i));
  return result;
}

std::optional<OnnxTensor> fold_integer_function(const FoldRequest& request, UnaryKind kind) {
  OnnxTensor result = request.input(0);
  if (!result.is_integer() || (kind != UnaryKind::neg && kind != UnaryKind::abs)) return std::nullopt;
  for (std::int64_t i = 0, count = result.size(); i < count; ++i) {
    const std::int64_t x = result.integer(i);
    if (kind == UnaryKind::neg || x < 0)
      put_integer(result, i, wrapping<std::int64_t>(0U - static_cast<std::uint64_t>(x)));
  }
  return result;
}

std::optional<OnnxTensor> fold_not(const FoldRequest& request) {
  OnnxTensor result = request.input(0);
  if (result.type != OnnxType::boolean) request.fail("input 0", onnx_type_name(result.type), "BOOL");
  for (std::int64_t i = 0, count = result.size(); i < count; ++i)
    result.put<std::uint8_t>(i, result.integer(i) == 0 ? 1 : 0);
  return result;
}

std::optional<OnnxTensor> fold_round(const FoldRequest& request) {
  OnnxTensor result = request.input(0);
  if (result.type != OnnxType::float32) return std::nullopt;
  for (std::int64_t i = 0, count = result.size(); i < count; ++i)
    result.put<float>(i, std::nearbyint(result.get<float>(i)));
  return result;
}

std::optional<OnnxTensor> fold_where(const FoldRequest& request) {
  const OnnxTensor& condition = request.input(0);
  const OnnxTensor& yes = request.input(1);
  const OnnxTensor& no = request.input(2);
  if (condition.type != OnnxType::boolean || yes.type != no.type)
    request.fail("inputs", "types that do not fit", "BOOL and two operands of one type");
  const auto both = broadcast_shape(yes.shape, no.shape);
  const auto shape = both ? broadcast_shape(condition.shape, *both) : std::nullopt;
  if (!shape) request.fail("inputs", "shapes that do not fit", "shapes that broadcast");
  OnnxTensor result = make_folded(request, yes.type, *shape);
  const BroadcastIndex index(*shape, condition.shape);
  const BroadcastIndex index_yes(*shape, yes.shape);
  const BroadcastIndex index_no(*shape, no.shape);
  const std::size_t bytes = onnx_element_bytes(yes.type);
  for (std::int64_t i = 0, count = result.size(); i < count; ++i) {
    const bool takes = condition.integer(index(i)) != 0;
    const std::int64_t from = takes ? index_yes(i) : index_no(i);
    std::memcpy(&result.bytes[static_cast<std::size_t>(i) * bytes],
                &(takes ? yes : no).bytes[static_cast<std::size_t>(from) * bytes], bytes);
  }
  return result;
}

std::optional<OnnxTensor> fold_reduction(const FoldRequest& request, FoldedBinary step) {
  const OnnxTensor& x = request.input(0);
  const auto axes = request.list(1, "axes");
  const bool keeps = request.attributes.flag("keepdims", true);
  request.attributes.ignore("noop_with_empty_axes");
  if (x.shape.size() != 1 || !x.is_integer() || x.size() == 0 || (axes && axes->empty())) return std::nullopt;
  std::int64_t total = x.integer(0);
  for (std::int64_t i = 1, count = x.size(); i < count; ++i)
    total = *apply_binary(request, step, total, x.integer(i));
  OnnxTensor result = make_folded(request, x.type, keeps ? Shape{1} : Shape{});
  put_integer(result, 0, total);
  return result;
}

}  // namespace qsim::onnx_format
