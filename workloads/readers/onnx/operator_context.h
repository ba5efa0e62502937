// One node of the model while it is read: its operands, its results, and how nodes of the graph are added for
// it.
//
// Every operator has one function, written once for the plain operator ("Conv"). It sees operands and
// results, which are floats (a float operator), integers with their scales given beside them (QLinearConv),
// or integers that DequantizeLinear and QuantizeLinear enclose (a QDQ group).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "workloads/graph/graph.h"
#include "workloads/readers/onnx/attributes.h"
#include "workloads/readers/onnx/graph_builder.h"
#include "workloads/readers/onnx/operator_table.h"

namespace qsim::onnx_format {

struct OperatorContext {
  /// `row` is that of the plain operator. Operands and results are still to be filled in.
  OperatorContext(GraphBuilder& graph_builder, std::size_t node_index, const OperatorRow& plain_row);

  GraphBuilder& builder;
  const std::size_t index;  ///< Of the node among the model's.
  const OnnxNode& node;
  const OperatorRow& row;
  Attributes attributes;
  std::string place;
  std::vector<Operand> operands;
  std::vector<Result> results;
  Activation activation = Activation::none;
  /// Of a group: nodes of the model that the operation takes in, and those of them that quantize the results.
  std::vector<std::size_t> absorbed, quantizers;
  /// Of an average pool between quantizers of QONNX: it adds up its window, and the requantization divides.
  bool sums_window = false;

  [[noreturn]] void fail(const std::string& subject, const std::string& value, const std::string& expected,
                         const std::string& hint = {}) const;
  [[nodiscard]] std::int64_t opset() const { return builder.model().opset(); }
  [[nodiscard]] const std::string& file() const { return builder.model().model().file; }

  // ---- operands ------------------------------------------------------------------------------------------
  void expect_inputs(std::size_t min, std::size_t max) const;
  [[nodiscard]] bool has(std::size_t i) const { return i < operands.size() && !operands[i].is_absent(); }
  [[nodiscard]] const Operand& operand(std::size_t i) const { return operands[i]; }
  [[nodiscard]] const ValueInfo& info(std::size_t i) const { return builder.info(operands[i].value); }
  [[nodiscard]] const Shape& shape(std::size_t i) const { return info(i).shape; }
  [[nodiscard]] bool is_constant(std::size_t i) const { return builder.is_constant(operands[i].value); }
  [[nodiscard]] DimensionOrder order(std::size_t i) const { return builder.order_of(operands[i].value); }
  [[nodiscard]] TensorId tensor(std::size_t i, const DimensionOrder& order);
  /// Integers of an operand that has to be a constant ("shape", "axes"); nothing where it is absent.
  [[nodiscard]] std::optional<std::vector<std::int64_t>> indices(std::size_t i, const char* what);
  /// The same from an attribute where older opsets have it there.
  [[nodiscard]] std::optional<std::vector<std::int64_t>> list(std::size_t i, const char* attribute);
  /// The real numbers of an operand that has to be a constant; nothing where it is absent.
  [[nodiscard]] std::optional<std::vector<float>> reals(std::size_t i, const char* what);
  [[nodiscard]] std::int64_t wrapped_axis(std::int64_t axis, std::size_t rank, const char* what) const;

  // ---- results -------------------------------------------------------------------------------------------
  [[nodiscard]] bool is_float() const { return results.front().type == OnnxType::float32; }
  /// Stands between DequantizeLinear and QuantizeLinear.
  [[nodiscard]] bool is_group() const { return !absorbed.empty(); }
  [[nodiscard]] Node new_node(Op op, std::vector<TensorId> inputs) const;
  /// Adds a node "NODE#suffix" on the way to a result; what it makes has the type and scale of its first
  /// input.
  TensorId add_step(const std::string& suffix, Op op, std::vector<TensorId> inputs, const Shape& graph_shape);
  /// Adds a node that makes result `result` of this shape (the model's order).
  void emit(Op op, std::vector<TensorId> inputs, const Shape& shape, const DimensionOrder& order,
            std::size_t result = 0);
  /// The same for operations that keep the integers: where the result has other parameters than the first
  /// operand, a requantizing node follows.
  void emit_move(Op op, std::vector<TensorId> inputs, const Shape& shape, const DimensionOrder& order,
                 std::size_t result = 0);
};

}  // namespace qsim::onnx_format
