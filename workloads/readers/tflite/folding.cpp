// Operators on shapes: their values are known when reading, so that they become constants.
#include <algorithm>

#include "base/error.h"
#include "workloads/graph/graph_check.h"
#include "workloads/readers/tflite/graph_builder.h"
#include "workloads/readers/tflite/slice.h"

namespace qsim::tflite {
namespace {

/// Longest list of indices that folding handles; shapes have at most 8 entries.
constexpr std::int64_t kMaxIndices = 64;

bool is_index_type(TypeCode type) {
  return type == TypeCode::int32 || type == TypeCode::int64;
}

std::int64_t read_integer(std::span<const std::byte> data, TypeCode type, std::size_t i) {
  if (type == TypeCode::int64) {
    std::int64_t value = 0;
    std::memcpy(&value, data.data() + i * sizeof(value), sizeof(value));
    return value;
  }
  std::int32_t value = 0;
  std::memcpy(&value, data.data() + i * sizeof(value), sizeof(value));
  return value;
}

/// A slice of a list; operands x, begin, end, strides.
std::optional<IndexConstant> folded_slice(const ModelOperator& op, const std::vector<IndexConstant>& inputs) {
  if (inputs.size() != 4 || inputs[0].shape.size() != 1) return std::nullopt;
  const SliceSpec spec{inputs[1].values, inputs[2].values, inputs[3].values, read_slice_masks(op)};
  const ResolvedSlice slice = resolve_slice(inputs[0].shape, spec);
  if (!slice.problem.empty()) return std::nullopt;
  IndexConstant result{slice.output_shape, {}};
  for (std::int64_t i = 0; i < slice.op.count[0]; ++i) {
    result.values.push_back(
        inputs[0].values[static_cast<std::size_t>(slice.op.begin[0] + i * slice.op.stride[0])]);
  }
  return result;
}

}  // namespace

std::optional<IndexConstant> GraphBuilder::index_constant(std::int32_t index,
                                                          const std::string& place) const {
  const auto folded = folded_.find(index);
  if (folded != folded_.end()) return folded->second;
  const ModelTensor& tensor = model_.tensors[static_cast<std::size_t>(index)];
  if (tensor.data.empty() || !is_index_type(tensor.type)) return std::nullopt;
  const std::size_t bytes = tensor.type == TypeCode::int64 ? 8 : 4;
  const std::int64_t count = checked_element_count(tensor.shape);
  if (count < 0 || tensor.data.size() != static_cast<std::size_t>(count) * bytes) {
    throw InputError({model_.file,
                      place + " tensor \"" + tensor.name + "\"",
                      std::to_string(tensor.data.size()) + " bytes of data",
                      "the data of " + type_name(tensor.type) + " of shape " + to_string(tensor.shape),
                      {}});
  }
  if (count > kMaxIndices) return std::nullopt;
  IndexConstant constant{tensor.shape, {}};
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    constant.values.push_back(read_integer(tensor.data, tensor.type, i));
  }
  return constant;
}

bool GraphBuilder::fold(const ModelOperator& op) {
  if (op.outputs.size() != 1 || op.inputs.empty()) return false;
  if (!is_index_type(model_.tensors[static_cast<std::size_t>(op.outputs[0])].type)) return false;
  std::optional<IndexConstant> value = folded_value(op);
  if (!value) return false;
  folded_[op.outputs[0]] = std::move(*value);
  return true;
}

std::optional<IndexConstant> GraphBuilder::folded_value(const ModelOperator& op) const {
  if (op.inputs[0] < 0) return std::nullopt;
  const ModelTensor& result = model_.tensors[static_cast<std::size_t>(op.outputs[0])];
  if (op.code == OperatorCode::shape) {
    const Shape& shape = model_.tensors[static_cast<std::size_t>(op.inputs[0])].shape;
    return IndexConstant{{static_cast<std::int64_t>(shape.size())}, shape};
  }
  std::vector<IndexConstant> inputs;
  for (const std::int32_t index : op.inputs) {
    const auto constant = index < 0 ? std::nullopt : index_constant(index, op.place);
    if (!constant) return std::nullopt;
    inputs.push_back(*constant);
  }
  const std::vector<std::int64_t>& x = inputs[0].values;
  switch (op.code) {
    case OperatorCode::cast:
    case OperatorCode::reshape:
    case OperatorCode::squeeze:
    case OperatorCode::expand_dims:
      if (checked_element_count(result.shape) != static_cast<std::int64_t>(x.size())) return std::nullopt;
      return IndexConstant{result.shape, x};
    case OperatorCode::pack:
    case OperatorCode::concatenation: {
      IndexConstant joined;
      for (const IndexConstant& input : inputs) {
        if (input.shape.size() > (op.code == OperatorCode::pack ? 0U : 1U)) return std::nullopt;
        joined.values.insert(joined.values.end(), input.values.begin(), input.values.end());
      }
      joined.shape = {static_cast<std::int64_t>(joined.values.size())};
      if (joined.shape[0] > kMaxIndices) return std::nullopt;
      return joined;
    }
    case OperatorCode::strided_slice:
      return folded_slice(op, inputs);
    default:
      return std::nullopt;
  }
}

}  // namespace qsim::tflite
