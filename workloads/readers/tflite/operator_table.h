// Builtin operators of TFLite by number: those that qsim reads are one row each, in the file of their family.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "workloads/readers/tflite/constant.h"

namespace qsim::tflite {

class OperatorContext;

/// All that is known of one operator.
struct OperatorRow {
  std::int32_t code = 0;  ///< BuiltinOperator in TFLite's schema.
  std::string_view name;  ///< The schema's word.
  /// Adds its nodes. Null: the operator is refused, unless its value can be folded.
  void (*read)(OperatorContext& op) = nullptr;
  /// Its value where that is known when reading. Null: it is not looked for.
  std::optional<IndexConstant> (*fold)(const OperatorContext& op) = nullptr;
};

inline constexpr std::int32_t kCustomOperator = 32;

[[nodiscard]] std::span<const OperatorRow> mac_operators();          // operators_mac.cpp
[[nodiscard]] std::span<const OperatorRow> elementwise_operators();  // operators_elementwise.cpp
[[nodiscard]] std::span<const OperatorRow> unary_operators();        // operators_unary.cpp
[[nodiscard]] std::span<const OperatorRow> window_operators();       // operators_window.cpp
[[nodiscard]] std::span<const OperatorRow> movement_operators();     // operators_move.cpp
[[nodiscard]] std::span<const OperatorRow> slice_operators();        // operators_slice.cpp

/// Null where qsim does not know the operator.
[[nodiscard]] const OperatorRow* find_operator(std::int32_t code);

/// "CONV_2D", of an operator that qsim does not read too; "operator 999" for what is no builtin operator.
[[nodiscard]] std::string operator_name(std::int32_t code);

}  // namespace qsim::tflite
