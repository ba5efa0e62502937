#include "workloads/readers/tflite/operator_table.h"

#include <algorithm>
#include <array>

namespace qsim::tflite {
namespace {

// Operators without a row, by number, so that they are called by their names; "-" where there is a row.
constexpr std::string_view kOtherNames =
    "- - - - - DEPTH_TO_SPACE - EMBEDDING_LOOKUP FLOOR - HASHTABLE_LOOKUP L2_NORMALIZATION L2_POOL_2D "
    "LOCAL_RESPONSE_NORMALIZATION - LSH_PROJECTION LSTM - - - - - - - RNN - SPACE_TO_DEPTH SVDF - "
    "CONCAT_EMBEDDINGS SKIP_GRAM CALL CUSTOM EMBEDDING_LOOKUP_SPARSE - UNIDIRECTIONAL_SEQUENCE_RNN "
    "GATHER BATCH_TO_SPACE_ND SPACE_TO_BATCH_ND - - - DIV - UNIDIRECTIONAL_SEQUENCE_LSTM - "
    "BIDIRECTIONAL_SEQUENCE_RNN EXP TOPK_V2 - - DELEGATE BIDIRECTIONAL_SEQUENCE_LSTM - - - "
    "ARG_MAX - LESS NEG - GREATER GREATER_EQUAL LESS_EQUAL SELECT - SIN - SPARSE_TO_DENSE TILE - EQUAL "
    "NOT_EQUAL LOG SUM SQRT RSQRT - POW ARG_MIN FAKE_QUANT REDUCE_PROD REDUCE_MAX - LOGICAL_OR ONE_HOT "
    "LOGICAL_AND LOGICAL_NOT UNPACK REDUCE_MIN FLOOR_DIV REDUCE_ANY SQUARE ZEROS_LIKE FILL FLOOR_MOD "
    "RANGE - - SQUARED_DIFFERENCE MIRROR_PAD ABS - UNIQUE CEIL REVERSE_V2 ADD_N GATHER_ND COS WHERE RANK "
    "- REVERSE_SEQUENCE MATRIX_DIAG - MATRIX_SET_DIAG ROUND - IF WHILE NON_MAX_SUPPRESSION_V4 "
    "NON_MAX_SUPPRESSION_V5 SCATTER_ND SELECT_V2 DENSIFY SEGMENT_SUM - PLACEHOLDER_FOR_GREATER_OP_CODES "
    "CUMSUM CALL_ONCE BROADCAST_TO RFFT2D CONV_3D IMAG REAL COMPLEX_ABS HASHTABLE HASHTABLE_FIND "
    "HASHTABLE_IMPORT HASHTABLE_SIZE REDUCE_ALL CONV_3D_TRANSPOSE VAR_HANDLE READ_VARIABLE "
    "ASSIGN_VARIABLE BROADCAST_ARGS RANDOM_STANDARD_NORMAL BUCKETIZE RANDOM_UNIFORM MULTINOMIAL - "
    "DYNAMIC_UPDATE_SLICE - UNSORTED_SEGMENT_PROD UNSORTED_SEGMENT_MAX UNSORTED_SEGMENT_SUM ATAN2 "
    "UNSORTED_SEGMENT_MIN SIGN BITCAST BITWISE_XOR RIGHT_SHIFT STABLEHLO_LOGISTIC STABLEHLO_ADD "
    "STABLEHLO_DIVIDE STABLEHLO_MULTIPLY STABLEHLO_MAXIMUM STABLEHLO_RESHAPE STABLEHLO_CLAMP "
    "STABLEHLO_CONCATENATE STABLEHLO_BROADCAST_IN_DIM STABLEHLO_CONVOLUTION STABLEHLO_SLICE "
    "STABLEHLO_CUSTOM_CALL STABLEHLO_REDUCE STABLEHLO_ABS STABLEHLO_AND STABLEHLO_COSINE "
    "STABLEHLO_EXPONENTIAL STABLEHLO_FLOOR STABLEHLO_LOG STABLEHLO_MINIMUM STABLEHLO_NEGATE STABLEHLO_OR "
    "STABLEHLO_POWER STABLEHLO_REMAINDER STABLEHLO_RSQRT STABLEHLO_SELECT STABLEHLO_SUBTRACT "
    "STABLEHLO_TANH STABLEHLO_SCATTER STABLEHLO_COMPARE STABLEHLO_CONVERT STABLEHLO_DYNAMIC_SLICE "
    "STABLEHLO_DYNAMIC_UPDATE_SLICE STABLEHLO_PAD STABLEHLO_IOTA STABLEHLO_DOT_GENERAL "
    "STABLEHLO_REDUCE_WINDOW STABLEHLO_SORT STABLEHLO_WHILE STABLEHLO_GATHER STABLEHLO_TRANSPOSE DILATE "
    "STABLEHLO_RNG_BIT_GENERATOR REDUCE_WINDOW STABLEHLO_COMPOSITE STABLEHLO_SHIFT_LEFT STABLEHLO_CBRT";

/// Word `index` of a list; nothing where it has fewer.
std::optional<std::string> word_at(std::string_view words, std::int64_t index) {
  if (index < 0) return std::nullopt;
  for (; index > 0; --index) {
    const std::size_t space = words.find(' ');
    if (space == std::string_view::npos) return std::nullopt;
    words.remove_prefix(space + 1);
  }
  return std::string(words.substr(0, words.find(' ')));
}

}  // namespace

const OperatorRow* find_operator(std::int32_t code) {
  for (const auto family : {mac_operators, elementwise_operators, unary_operators, window_operators,
                            movement_operators, slice_operators}) {
    const std::span<const OperatorRow> rows = family();
    const auto found = std::ranges::find(rows, code, &OperatorRow::code);
    if (found != rows.end()) return &*found;
  }
  return nullptr;
}

std::string operator_name(std::int32_t code) {
  const OperatorRow* row = find_operator(code);
  if (row != nullptr) return std::string(row->name);
  return word_at(kOtherNames, code).value_or("operator " + std::to_string(code));
}

}  // namespace qsim::tflite
