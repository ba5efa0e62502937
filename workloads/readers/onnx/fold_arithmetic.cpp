// Folding of arithmetic, element by element with broadcasting, and of reductions over a list.
#include <cmath>
#include <functional>
#include <limits>
#include <map>

#include "workloads/readers/onnx/fold.h"

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

template <typename T>
std::optional<T> apply_binary(const FoldRequest& request, const std::string& op, T a, T b) {
  const auto ua = static_cast<std::uint64_t>(a);
  const auto ub = static_cast<std::uint64_t>(b);
  if (op == "Add") return wrapping<T>(ua + ub);
  if (op == "Sub") return wrapping<T>(ua - ub);
  if (op == "Mul") return wrapping<T>(ua * ub);
  if (op == "Div") return divide(request, a, b);
  if (op == "Min") return b < a ? b : a;
  if (op == "Max") return a < b ? b : a;
  if (op == "Mod") {
    if (b == 0) request.fail("input 1", "division by 0", "a divisor");
    // The result has the divisor's sign.
    const T rest = b == -1 ? T{0} : static_cast<T>(a % b);
    return rest != 0 && (rest < 0) != (b < 0) ? static_cast<T>(rest + b) : rest;
  }
  return std::nullopt;
}

template <>
std::optional<float> apply_binary(const FoldRequest& /*request*/, const std::string& op, float a, float b) {
  if (op == "Add") return a + b;
  if (op == "Sub") return a - b;
  if (op == "Mul") return a * b;
  if (op == "Div") return a / b;
  if (op == "Min") return std::fmin(a, b);
  if (op == "Max") return std::fmax(a, b);
  if (op == "Pow") return std::pow(a, b);
  return std::nullopt;
}

template <typename T>
std::optional<bool> compare(const std::string& op, T a, T b) {
  if (op == "Equal") return a == b;
  if (op == "Less") return a < b;
  if (op == "Greater") return a > b;
  if (op == "LessOrEqual") return a <= b;
  if (op == "GreaterOrEqual") return a >= b;
  return std::nullopt;
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

bool is_binary(const std::string& op) {
  return op == "Add" || op == "Sub" || op == "Mul" || op == "Div" || op == "Min" || op == "Max" ||
         op == "Mod" || op == "Pow";
}

bool is_comparison(const std::string& op) {
  return op == "Equal" || op == "Less" || op == "Greater" || op == "LessOrEqual" || op == "GreaterOrEqual";
}

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

OnnxTensor binary(const FoldRequest& request, const OnnxTensor& a, const OnnxTensor& b) {
  const std::string& op = request.node.op_type;
  if (a.type != b.type) request.fail("inputs", "types that differ", "two operands of one type");
  const std::optional<Shape> shape = broadcast_shape(a.shape, b.shape);
  if (!shape) {
    request.fail("inputs", "shapes " + to_string(a.shape) + " and " + to_string(b.shape),
                 "equal dimensions, or 1 where one of them is repeated");
  }
  OnnxTensor result = make_folded(request, is_comparison(op) ? OnnxType::boolean : a.type, *shape);
  const BroadcastIndex index_a(*shape, a.shape);
  const BroadcastIndex index_b(*shape, b.shape);
  for (std::int64_t i = 0; i < result.size(); ++i) {
    const std::int64_t ia = index_a(i);
    const std::int64_t ib = index_b(i);
    if (is_comparison(op)) {
      const std::optional<bool> value =
          a.is_real() ? compare(op, a.real(ia), b.real(ib)) : compare(op, a.integer(ia), b.integer(ib));
      result.put<std::uint8_t>(i, *value ? 1 : 0);
    } else if (a.type == OnnxType::float32) {
      const auto value = apply_binary(request, op, a.get<float>(ia), b.get<float>(ib));
      if (!value) request.fail("operator", op + " of " + onnx_type_name(a.type), "a type that it takes");
      result.put<float>(i, *value);
    } else {
      const auto value = apply_binary(request, op, a.integer(ia), b.integer(ib));
      if (!value) request.fail("operator", op + " of " + onnx_type_name(a.type), "a type that it takes");
      put_integer(result, i, *value);
    }
  }
  return result;
}

/// Add .. Pow and the comparisons; Min and Max take any number of operands.
std::optional<OnnxTensor> fold_binary(const FoldRequest& request) {
  const std::string& op = request.node.op_type;
  if (!is_binary(op) && !is_comparison(op)) return std::nullopt;
  if (op == "Mod" && request.attributes.flag("fmod", false)) return std::nullopt;
  for (const OnnxTensor* input : request.inputs) {
    const bool known = input != nullptr && (input->is_integer() || input->type == OnnxType::float32 ||
                                            (is_comparison(op) && input->bytes.size() > 0));
    if (!known) return std::nullopt;
  }
  OnnxTensor result = request.input(0);
  if (request.inputs.size() < 2 && op != "Min" && op != "Max") request.fail("inputs", "1", "2");
  for (std::size_t i = 1; i < request.inputs.size(); ++i) result = binary(request, result, request.input(i));
  return result;
}

using RealFunction = float (*)(float);

RealFunction real_function(const std::string& op) {
  static const std::map<std::string, RealFunction> kFunctions{
      {"Neg", [](float x) { return -x; }},
      {"Abs", [](float x) { return std::fabs(x); }},
      {"Floor", [](float x) { return std::floor(x); }},
      {"Ceil", [](float x) { return std::ceil(x); }},
      {"Round", [](float x) { return std::nearbyint(x); }},
      {"Sqrt", [](float x) { return std::sqrt(x); }},
      {"Reciprocal", [](float x) { return 1.0F / x; }},
  };
  const auto found = kFunctions.find(op);
  return found == kFunctions.end() ? nullptr : found->second;
}

std::optional<OnnxTensor> fold_unary(const FoldRequest& request) {
  const std::string& op = request.node.op_type;
  if (op == "Not") {
    OnnxTensor result = request.input(0);
    if (result.type != OnnxType::boolean) request.fail("input 0", onnx_type_name(result.type), "BOOL");
    for (std::int64_t i = 0; i < result.size(); ++i)
      result.put<std::uint8_t>(i, result.integer(i) == 0 ? 1 : 0);
    return result;
  }
  const RealFunction function = real_function(op);
  if (function == nullptr) return std::nullopt;
  OnnxTensor result = request.input(0);
  if (result.type == OnnxType::float32) {
    for (std::int64_t i = 0; i < result.size(); ++i) result.put<float>(i, function(result.get<float>(i)));
    return result;
  }
  if (!result.is_integer() || (op != "Neg" && op != "Abs")) return std::nullopt;
  for (std::int64_t i = 0; i < result.size(); ++i) {
    const std::int64_t x = result.integer(i);
    if (op == "Neg" || x < 0)
      put_integer(result, i, wrapping<std::int64_t>(0U - static_cast<std::uint64_t>(x)));
  }
  return result;
}

std::optional<OnnxTensor> fold_where(const FoldRequest& request) {
  if (request.node.op_type != "Where") return std::nullopt;
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
  for (std::int64_t i = 0; i < result.size(); ++i) {
    const bool takes = condition.integer(index(i)) != 0;
    const std::int64_t from = takes ? index_yes(i) : index_no(i);
    std::memcpy(&result.bytes[static_cast<std::size_t>(i) * bytes],
                &(takes ? yes : no).bytes[static_cast<std::size_t>(from) * bytes], bytes);
  }
  return result;
}

/// ReduceProd, ReduceSum, ReduceMin and ReduceMax of a list of integers to one number.
std::optional<OnnxTensor> fold_reduction(const FoldRequest& request) {
  const std::string& op = request.node.op_type;
  if (op != "ReduceProd" && op != "ReduceSum" && op != "ReduceMin" && op != "ReduceMax") return std::nullopt;
  const OnnxTensor& x = request.input(0);
  const auto axes = request.list(1, "axes");
  const bool keeps = request.attributes.flag("keepdims", true);
  request.attributes.ignore("noop_with_empty_axes");
  if (x.shape.size() != 1 || !x.is_integer() || x.size() == 0 || (axes && axes->empty())) return std::nullopt;
  std::int64_t total = x.integer(0);
  for (std::int64_t i = 1; i < x.size(); ++i) {
    const char* step = op == "ReduceProd"  ? "Mul"
                       : op == "ReduceSum" ? "Add"
                       : op == "ReduceMin" ? "Min"
                                           : "Max";
    total = *apply_binary(request, step, total, x.integer(i));
  }
  OnnxTensor result = make_folded(request, x.type, keeps ? Shape{1} : Shape{});
  put_integer(result, 0, total);
  return result;
}

}  // namespace

std::optional<OnnxTensor> fold_arithmetic(const FoldRequest& request) {
  for (const auto fold : {fold_binary, fold_unary, fold_where, fold_reduction}) {
    if (std::optional<OnnxTensor> value = fold(request)) return value;
  }
  return std::nullopt;
}

}  // namespace qsim::onnx_format
