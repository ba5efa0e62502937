#include "workloads/readers/onnx/operator_table.h"

#include <array>
#include <map>
#include <utility>

namespace qsim::onnx_format {
namespace {

using Key = std::pair<std::string_view, std::string_view>;

struct Index {
  std::map<Key, const OperatorRow*> operators;
  std::array<const OperationWriter*, std::variant_size_v<Op>> writers{};
};

Index make_index() {
  Index index;
  for (const auto family :
       {convolution_operators, matrix_operators, pool_operators, resize_operators, binary_operators,
        unary_operators, normalization_operators, reduction_operators, reshape_operators, part_operators,
        pad_operators, space_operators, quantization_operators, qonnx_operators, constant_operators}) {
    for (const OperatorRow& row : family()) {
      index.operators.emplace(Key{row.domain, row.name}, &row);
      if (row.write.operation != OperationWriter::kNoOperation)
        index.writers[row.write.operation] = &row.write;
    }
  }
  return index;
}

const Index& the_index() {
  static const Index kIndex = make_index();
  return kIndex;
}

}  // namespace

const OperatorRow* find_operator(std::string_view domain, std::string_view name) {
  const std::map<Key, const OperatorRow*>& operators = the_index().operators;
  const auto found = operators.find({domain, name});
  return found == operators.end() ? nullptr : found->second;
}

const OperatorRow* find_operator(const OnnxNode& node) {
  return find_operator(node.domain, node.op_type);
}

const OperationWriter* find_writer(const Op& op) {
  return the_index().writers[op.index()];
}

OperatorMeaning meaning_of(const OnnxNode& node) {
  const OperatorRow* row = find_operator(node);
  if (row == nullptr || row->quantized.plain.empty()) return {row, std::nullopt};
  std::optional<QuantizedOperator> quantized = row->quantized.operands(node);
  if (!quantized) return {row, std::nullopt};
  return {find_operator({}, row->quantized.plain), std::move(quantized)};
}

}  // namespace qsim::onnx_format
