// Functions of one element: one row a function, and everything that is known of it is in the row.
//
// Readers and writers of model formats find rows by the format's own name and pass parameters on by name; no
// other file has a list of these functions. A new one is an enumerator of UnaryKind and a row in unary.cpp.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "hw_models/arithmetic/quantized_type.h"
#include "hw_models/arithmetic/vector_functions.h"
#include "workloads/graph/graph.h"
#include "workloads/ops/real_range.h"

namespace qsim {

/// One of the two numbers of a function.
struct UnaryParameter {
  std::string_view name;  ///< Key in workload files and ONNX attribute; empty: the function has none.
  std::string_view description;
  std::optional<float> fallback{};  ///< In workload files; absent: the key is required.
  float onnx_default = 0.0F;        ///< Where the ONNX attribute is absent.
  /// Instead of being required an absent limit is infinite, and an infinite one is not written.
  bool is_limit = false;
  float limitless = 0.0F;
};

/// The function of real numbers, at the two precisions that it is needed in.
struct UnaryMath {
  /// y[i] = f(x[i]) as float networks compute it: one rounding to float32 where f is smooth, float32
  /// operations where it is made of straight pieces. The spans have the same length.
  void (*apply)(const UnaryOp& op, std::span<const float> x, std::span<float> y) = nullptr;
  double (*real)(const UnaryOp& op, double x) = nullptr;  ///< In double, unrounded.
};

/// Where TFLite has the function: its builtin operator and the parameters that are no options of it.
struct TfliteUnary {
  int builtin_code = -1;    ///< BuiltinOperator of the TFLite schema; -1: none.
  std::string_view name{};  ///< The schema's word for it.
  float alpha = 0.0F, beta = 0.0F;
  bool reads_alpha = false;  ///< The first option of the operator is alpha.
};

struct UnaryRow {
  UnaryKind kind{};
  std::string_view name;  ///< "op" in workload files and reports.
  std::string_view description;
  std::array<UnaryParameter, 2> parameters{};  ///< UnaryOp::alpha and UnaryOp::beta.
  std::string_view onnx_operator{};            ///< Empty: made of other operators (Clip).
  TfliteUnary tflite{};
  /// Both formats: value of the option "approximate" that tells rows of one operator apart ("none", "tanh").
  std::string_view approximation{};
  UnaryMath math{};
  /// The float32 function that ONNX Runtime evaluates between DequantizeLinear and QuantizeLinear; nullptr:
  /// no integer arithmetic with ONNX semantics.
  float (*onnx)(const UnaryOp& op, float x) = nullptr;
  /// The reference kernel's table; nullptr: no integer arithmetic with TFLite semantics.
  arithmetic::TableFunction (*tflite_table)(const UnaryOp& op, const arithmetic::QuantizedType& input,
                                            const arithmetic::QuantizedType& output) = nullptr;
  int tflite_bits = 16;  ///< Widest input of the reference kernel.
  /// Why the reference kernel refuses these tensors, or "".
  std::string_view (*tflite_obstacle)(const UnaryOp& op, const arithmetic::QuantizedType& input,
                                      const arithmetic::QuantizedType& output) = nullptr;
  /// All values lie in it, so that TFLite fixes the output's scale and zero point.
  std::optional<RealRange> range{};
  /// Output's quantization where none is written: the input's, which holds all values.
  bool follows_input = false;
  bool keeps_factors = false;    ///< f(s x) = s f(x) for every s > 0.
  bool scales_by_alpha = false;  ///< TFLite multiplies by alpha x input scale / output scale.
  /// The fused activation that the function is for every parameter; Activation::none: none.
  Activation activation = Activation::none;

  /// Neither runtime has integer arithmetic for it.
  [[nodiscard]] bool is_float_only() const { return onnx == nullptr && tflite_table == nullptr; }
};

/// In the order of UnaryKind.
[[nodiscard]] std::span<const UnaryRow> unary_rows();
[[nodiscard]] const UnaryRow& unary_row(UnaryKind kind);
/// Row of an ONNX operator, of TFLite's builtin operator; nullptr where there is none. `approximation` is the
/// operator's "approximate", where it has that ("" otherwise).
[[nodiscard]] const UnaryRow* find_onnx_unary(std::string_view onnx_operator,
                                              std::string_view approximation = {});
[[nodiscard]] const UnaryRow* find_tflite_unary(int builtin_code, std::string_view approximation = {});

/// The fused activation that the operation stands for, a clip at its bounds included.
[[nodiscard]] std::optional<Activation> activation_of(const UnaryOp& op);
/// Table of the integers; the row has arithmetic with these semantics.
[[nodiscard]] arithmetic::TableFunction unary_table(const UnaryOp& op, Semantics semantics,
                                                    const arithmetic::QuantizedType& input,
                                                    const arithmetic::QuantizedType& output);
/// Why the chip has no integer arithmetic for the operation on these tensors, or "".
[[nodiscard]] std::string unary_obstacle(const UnaryOp& op, Semantics semantics,
                                         const arithmetic::QuantizedType& input,
                                         const arithmetic::QuantizedType& output);

}  // namespace qsim
