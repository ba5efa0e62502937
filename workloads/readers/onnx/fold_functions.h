// Folding, one function an operator. Each has the signature of OperatorRow::fold: nothing where it does not
// fold these operands after all.
#pragma once

#include <optional>

#include "workloads/graph/graph.h"
#include "workloads/readers/onnx/fold.h"

namespace qsim::onnx_format {

// ---- fold_movement.cpp ------------------------------------------------------------------------------------
[[nodiscard]] std::optional<OnnxTensor> fold_identity(const FoldRequest& request);
[[nodiscard]] std::optional<OnnxTensor> fold_reshape(const FoldRequest& request);
[[nodiscard]] std::optional<OnnxTensor> fold_flatten(const FoldRequest& request);
[[nodiscard]] std::optional<OnnxTensor> fold_squeeze(const FoldRequest& request);
[[nodiscard]] std::optional<OnnxTensor> fold_unsqueeze(const FoldRequest& request);
[[nodiscard]] std::optional<OnnxTensor> fold_transpose(const FoldRequest& request);
[[nodiscard]] std::optional<OnnxTensor> fold_slice(const FoldRequest& request);
[[nodiscard]] std::optional<OnnxTensor> fold_gather(const FoldRequest& request);
[[nodiscard]] std::optional<OnnxTensor> fold_concat(const FoldRequest& request);
[[nodiscard]] std::optional<OnnxTensor> fold_expand(const FoldRequest& request);

// ---- fold_arithmetic.cpp ----------------------------------------------------------------------------------
enum class FoldedBinary {
  add,
  sub,
  mul,
  div,
  min,
  max,
  mod,
  pow,
  equal,
  less,
  greater,
  less_or_equal,
  greater_or_equal
};

/// Element by element with broadcasting; min and max take any number of operands.
[[nodiscard]] std::optional<OnnxTensor> fold_binary(const FoldRequest& request, FoldedBinary function);
/// Of a list of integers to one number.
[[nodiscard]] std::optional<OnnxTensor> fold_reduction(const FoldRequest& request, FoldedBinary step);
template <FoldedBinary kFunction>
[[nodiscard]] std::optional<OnnxTensor> fold_binary(const FoldRequest& request) {
  return fold_binary(request, kFunction);
}
template <FoldedBinary kStep>
[[nodiscard]] std::optional<OnnxTensor> fold_reduction(const FoldRequest& request) {
  return fold_reduction(request, kStep);
}
/// Integers: minus x and |x|; nothing for other functions.
[[nodiscard]] std::optional<OnnxTensor> fold_integer_function(const FoldRequest& request, UnaryKind kind);
[[nodiscard]] std::optional<OnnxTensor> fold_not(const FoldRequest& request);
[[nodiscard]] std::optional<OnnxTensor> fold_round(const FoldRequest& request);
[[nodiscard]] std::optional<OnnxTensor> fold_where(const FoldRequest& request);

// ---- fold_creation.cpp ------------------------------------------------------------------------------------
[[nodiscard]] std::optional<OnnxTensor> fold_constant(const FoldRequest& request);
[[nodiscard]] std::optional<OnnxTensor> fold_constant_of_shape(const FoldRequest& request);
[[nodiscard]] std::optional<OnnxTensor> fold_range(const FoldRequest& request);
[[nodiscard]] std::optional<OnnxTensor> fold_cast(const FoldRequest& request);
[[nodiscard]] std::optional<OnnxTensor> fold_dequantize(const FoldRequest& request);
[[nodiscard]] std::optional<OnnxTensor> fold_quantize(const FoldRequest& request);

}  // namespace qsim::onnx_format
