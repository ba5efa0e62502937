// Functions of two elements, operands repeated as numpy does: one row a function.
#pragma once

#include <span>
#include <string_view>

#include "workloads/ops/run.h"

namespace qsim {

struct BinaryRow {
  BinaryKind kind{};
  std::string_view name;  ///< "op" in workload files and reports.
  std::string_view description;
  std::string_view onnx_operator;
  /// y = clamp(f(a, b)) of a float node.
  void (*run_float)(const NodeRun& run, const FloatClamp& clamp) = nullptr;
  /// No integer arithmetic in either runtime.
  bool is_float_only = false;
  /// TFLite compares stored integers: all tensors have one scale.
  bool compares = false;
  /// As ONNX Runtime computes it between DequantizeLinear and QuantizeLinear.
  arithmetic::FloatBinaryKind onnx{};
  /// f in float32 and in double, where rounding it in another way explains differences; nullptr: not.
  float (*single)(float a, float b) = nullptr;
  double (*real)(double a, double b) = nullptr;
};

/// In the order of BinaryKind.
[[nodiscard]] std::span<const BinaryRow> binary_rows();
[[nodiscard]] const BinaryRow& binary_row(BinaryKind kind);

}  // namespace qsim
