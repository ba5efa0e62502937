// The fields of operations in workload files: read, written and described by visits of
// workloads/ops/fields.h.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>

#include "base/json_reader.h"
#include "workloads/ops/definition.h"

namespace qsim {

/// What a layer's attributes lead to.
struct ReadOp {
  Op op;
  /// Output shape where the attributes decide it (reshape, transposed convolution).
  std::optional<Shape> shape;
};

/// Reads the attributes of a layer. `x` is the shape of the first input, `weights` that of the weights, where
/// they are known: what depends on them is left at its default otherwise. `zero_point` is the first input's;
/// nothing where that is a float tensor.
[[nodiscard]] ReadOp read_op(const OpForm& form, JsonObject& layer, const std::optional<Shape>& x,
                             const std::optional<Shape>& weights, std::optional<std::int32_t> zero_point);

/// The other way round: "op" and the attributes of a node; keys at their default are left out.
struct WrittenOp {
  nlohmann::ordered_json json;
  bool decides_shape = false;  ///< The attributes decide the output's shape.
};
[[nodiscard]] WrittenOp write_op(const Graph& graph, const Node& node);

/// The layer's output quantization where the semantics fixes it: functions of a fixed range of TFLite, with 8
/// and 16 bits.
[[nodiscard]] std::optional<Quantization> fixed_output_quantization(const Op& op, Semantics semantics,
                                                                    const Quantization& input);
/// Operands that decide the output's shape.
[[nodiscard]] std::size_t shape_operands(const OpDefinition& row, std::size_t inputs);

/// `schema`, a workload schema, with its operations as the rows have them.
[[nodiscard]] nlohmann::ordered_json with_operations(nlohmann::ordered_json schema);

}  // namespace qsim
