// Operators that are read only where their value is known: constants, shapes, comparisons.
#include <array>

#include "workloads/readers/onnx/fold_functions.h"
#include "workloads/readers/onnx/operator_table.h"

namespace qsim::onnx_format {
namespace {

OnnxTensor integers(const Shape& shape, const Shape& values) {
  OnnxTensor tensor = make_onnx_tensor(OnnxType::int64, shape);
  for (std::size_t i = 0; i < values.size(); ++i)
    tensor.put<std::int64_t>(static_cast<std::int64_t>(i), values[i]);
  return tensor;
}

/// The dimensions from `start` to `end`.
OnnxTensor fold_shape(const Attributes& attributes, const Shape& shape) {
  const auto rank = static_cast<std::int64_t>(shape.size());
  const SliceRange range =
      slice_range(attributes.integer("start", 0), attributes.integer("end", rank), 1, rank);
  const auto begin = shape.begin() + range.begin;
  return integers({range.count}, Shape(begin, begin + range.count));
}

OnnxTensor fold_size(const Attributes& /*attributes*/, const Shape& shape) {
  return integers({}, {element_count(shape)});
}

constexpr std::array kConstantRows{
    OperatorRow{.name = "Constant", .fold = fold_constant},
    OperatorRow{.name = "ConstantOfShape", .fold = fold_constant_of_shape, .first_constant = 0},
    OperatorRow{.name = "Range", .fold = fold_range, .first_constant = 0},
    OperatorRow{.name = "Shape", .fold_shape = fold_shape},
    OperatorRow{.name = "Size", .fold_shape = fold_size},
    OperatorRow{.name = "Equal", .fold = fold_binary<FoldedBinary::equal>},
    OperatorRow{.name = "Less", .fold = fold_binary<FoldedBinary::less>},
    OperatorRow{.name = "Greater", .fold = fold_binary<FoldedBinary::greater>},
    OperatorRow{.name = "LessOrEqual", .fold = fold_binary<FoldedBinary::less_or_equal>},
    OperatorRow{.name = "GreaterOrEqual", .fold = fold_binary<FoldedBinary::greater_or_equal>},
    OperatorRow{.name = "Not", .fold = fold_not},
    OperatorRow{.name = "Round", .fold = fold_round},
    OperatorRow{.name = "Where", .fold = fold_where, .dimensions = DimensionUse::any},
};

}  // namespace

std::span<const OperatorRow> constant_operators() {
  return kConstantRows;
}

}  // namespace qsim::onnx_format
