// ONNX operators by domain and name: all that is known of one is its row, which stands in the file of its
// family.
#pragma once

#include <cstddef>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "workloads/graph/graph.h"
#include "workloads/readers/onnx/fold.h"
#include "workloads/readers/onnx/quantized_operators.h"
#include "workloads/readers/onnx/write_layout.h"

namespace qsim::onnx_format {

struct OperatorContext;
struct WriteContext;

inline constexpr const char* kMicrosoft = "com.microsoft";

/// What an operator does with integers that come without a scale.
enum class IntegerUse {
  refuses,  ///< Integers are operands only with their scales.
  takes,    ///< Reads them as they are (Cast, Clip, QuantizeLinear).
  moves,    ///< Hands them on as they are, so that its output has its input's scale.
};

/// How the operator wants its first operand's dimensions.
enum class DimensionUse {
  own,      ///< In the model's order.
  spatial,  ///< Works on height, width and channels: channels last.
  any,      ///< Element by element, or along any dimension: as the users of its result want them.
};

/// Largest difference between the scale of an int32 bias and p = (input scale) * (weight scale) at which its
/// integers are taken as they are: absolute + relative * p. Beyond it the operator stays a float one.
struct BiasTolerance {
  float absolute = 0.0F, relative = 0.0F;
};

/// DequantizeLinear -> operator -> QuantizeLinear is one integer operator.
struct GroupRule {
  std::size_t data_inputs = 1;  ///< Inputs that DequantizeLinear has to make; 0: all of them.
  bool has_bias = false;        ///< Input 2, int32 or a constant of floats.
  bool takes_activation = false;
  BiasTolerance bias_tolerance{};
};

/// An operator whose operands carry their scales: `plain` computes the same on real numbers.
struct QuantizedForm {
  std::string_view plain{};  ///< Empty: none.
  std::optional<QuantizedOperator> (*operands)(const OnnxNode& node) = nullptr;
};

/// In which order of dimensions an operator makes the output of the graph's operation.
enum class ResultLayout {
  inherited,  ///< That of its input.
  image,      ///< Channels first.
  graph,      ///< The graph's.
};

/// How an operation of the graph is written. A function that returns false leaves the node to the next of
/// them; all throw InputError where ONNX has no operator.
struct OperationWriter {
  using WriteFunction = bool (*)(WriteContext& writer, const Node& node);
  std::size_t operation = kNoOperation;  ///< Alternative of Op.
  ResultLayout layout = ResultLayout::inherited;
  /// As an operator that takes integers as well as floats: it moves elements or chooses among them.
  WriteFunction movement = nullptr;
  /// With an accumulator of 32 bits as its result.
  void (*accumulators)(WriteContext& writer, const Node& node) = nullptr;
  /// As a quantized operator, of 8 bits.
  WriteFunction quantized = nullptr;
  /// Between DequantizeLinear and QuantizeLinear in another way than as its float operators.
  WriteFunction conversion = nullptr;
  /// As float operators on inputs that are real numbers; returns the name of the result, which the last node
  /// makes.
  std::string (*real)(WriteContext& writer, const Node& node,
                      const std::function<std::string(std::size_t, const Layout&)>& input,
                      const Layout& layout) = nullptr;

  static constexpr std::size_t kNoOperation = std::numeric_limits<std::size_t>::max();
};

/// Which alternative of Op an operation is.
template <typename Operation, std::size_t kIndex = 0>
constexpr std::size_t operation_index() {
  if constexpr (std::is_same_v<std::variant_alternative_t<kIndex, Op>, Operation>) {
    return kIndex;
  } else {
    return operation_index<Operation, kIndex + 1>();
  }
}

using FoldFunction = std::optional<OnnxTensor> (*)(const FoldRequest& request);

/// No operand has to be a constant.
inline constexpr std::size_t kNoConstants = std::numeric_limits<std::size_t>::max();

struct OperatorRow {
  std::string_view name;
  std::string_view domain{};  ///< Empty: ONNX's own.
  /// Adds its nodes; throws InputError. Null: read only where it folds, or where it has a quantized form.
  void (*read)(OperatorContext& context) = nullptr;
  /// Its value where all inputs are known; nothing where it does not fold after all.
  FoldFunction fold = nullptr;
  /// Its value, which follows from the shape of its input alone (Shape, Size).
  OnnxTensor (*fold_shape)(const Attributes& attributes, const Shape& shape) = nullptr;
  IntegerUse integers = IntegerUse::refuses;
  DimensionUse dimensions = DimensionUse::own;
  std::optional<GroupRule> group{};
  std::size_t first_constant = kNoConstants;  ///< Operands from here on have to be known when reading.
  QuantizedForm quantized{};
  bool has_several_results = false;
  OperationWriter write{};  ///< Of the operation that this operator, or those of its family, compute.
};

// ---- the families -----------------------------------------------------------------------------------------
[[nodiscard]] std::span<const OperatorRow> convolution_operators();
[[nodiscard]] std::span<const OperatorRow> matrix_operators();
[[nodiscard]] std::span<const OperatorRow> pool_operators();
[[nodiscard]] std::span<const OperatorRow> resize_operators();
[[nodiscard]] std::span<const OperatorRow> binary_operators();
[[nodiscard]] std::span<const OperatorRow> unary_operators();
[[nodiscard]] std::span<const OperatorRow> normalization_operators();
[[nodiscard]] std::span<const OperatorRow> reduction_operators();
[[nodiscard]] std::span<const OperatorRow> reshape_operators();
[[nodiscard]] std::span<const OperatorRow> part_operators();
[[nodiscard]] std::span<const OperatorRow> pad_operators();
[[nodiscard]] std::span<const OperatorRow> space_operators();
[[nodiscard]] std::span<const OperatorRow> quantization_operators();
[[nodiscard]] std::span<const OperatorRow> qonnx_operators();
[[nodiscard]] std::span<const OperatorRow> constant_operators();

[[nodiscard]] bool is_quantize(const OnnxNode& node);    ///< QuantizeLinear of either domain.
[[nodiscard]] bool is_dequantize(const OnnxNode& node);  ///< DequantizeLinear of either domain.

/// nullptr where the operator is none that is known.
[[nodiscard]] const OperatorRow* find_operator(std::string_view domain, std::string_view name);
[[nodiscard]] const OperatorRow* find_operator(const OnnxNode& node);
/// How the operation is written; nullptr where ONNX has nothing for it.
[[nodiscard]] const OperationWriter* find_writer(const Op& op);

/// A node's row, and where it is an operator with scales beside its operands, those and the plain operator's
/// row.
struct OperatorMeaning {
  const OperatorRow* row = nullptr;  ///< The plain operator's; nullptr: none that is known.
  std::optional<QuantizedOperator> quantized{};
};
[[nodiscard]] OperatorMeaning meaning_of(const OnnxNode& node);

}  // namespace qsim::onnx_format
