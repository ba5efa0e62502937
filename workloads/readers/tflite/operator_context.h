// One operator while it is read: its operands, its checks and the graph that its nodes go into.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "workloads/readers/tflite/graph_builder.h"

namespace qsim::tflite {

/// The options of an operator; where it has none a table without fields, of which every accessor gives the
/// schema's default.
template <typename Options>
const Options& or_defaults(const Options* options) {
  struct EmptyTable {
    flatbuffers::voffset_t vtable_bytes = flatbuffers::EndianScalar<flatbuffers::voffset_t>(4);
    flatbuffers::voffset_t table_bytes = flatbuffers::EndianScalar<flatbuffers::voffset_t>(4);
    flatbuffers::soffset_t distance_to_vtable = flatbuffers::EndianScalar<flatbuffers::soffset_t>(4);
  };
  static const EmptyTable empty;
  return options != nullptr ? *options : *reinterpret_cast<const Options*>(&empty.distance_to_vtable);
}

class OperatorContext {
 public:
  OperatorContext(GraphBuilder& builder, const ModelOperator& op) : builder_(builder), op_(op) {}

  [[nodiscard]] const ModelOperator& op() const { return op_; }
  [[nodiscard]] const file::Operator& table() const { return *op_.table; }
  [[nodiscard]] GraphBuilder& builder() const { return builder_; }
  [[nodiscard]] std::size_t input_count() const { return op_.inputs.size(); }
  [[nodiscard]] std::size_t output_count() const { return op_.outputs.size(); }
  [[nodiscard]] bool has_input(std::size_t operand) const {
    return operand < op_.inputs.size() && op_.inputs[operand] >= 0;
  }
  [[nodiscard]] const ModelTensor& input(std::size_t operand) const;
  [[nodiscard]] const ModelTensor& output(std::size_t index = 0) const;
  [[nodiscard]] bool is_float() const { return output().type == ElementCode::FLOAT32; }

  [[noreturn]] void fail(const std::string& subject, const std::string& value, const std::string& expected,
                         const std::string& hint = {}) const;
  /// At least `min` and at most `max` operands, the first `min` of them present, and one output.
  void expect_inputs(std::size_t min, std::size_t max) const;
  void expect_rank(const ModelTensor& tensor, std::size_t rank) const;
  /// The types that the reference kernel takes: int8, int16 or float32, the same in the first `operands` and
  /// the output.
  void expect_same_type(std::size_t operands) const;
  void expect_same_scale(std::size_t operand) const;
  void expect_output_scale(float scale, std::int64_t zero_point, double tolerance) const;

  /// Integers that are known when reading; nothing where they are computed at run time.
  [[nodiscard]] std::optional<IndexConstant> constant(std::size_t operand) const;
  /// Known integers of a shape operand, `count` of them where that is given.
  [[nodiscard]] std::vector<std::int64_t> indices(std::size_t operand,
                                                  std::optional<std::size_t> count = std::nullopt) const;
  /// A dimension of a tensor of that rank; negative ones count from its end.
  [[nodiscard]] std::size_t dimension(std::int64_t axis, std::size_t rank) const;
  [[nodiscard]] Activation activation(file::ActivationCode code) const;
  [[nodiscard]] bool is_same_padding(file::PaddingCode code) const;

  TensorId use(std::size_t operand);
  /// The node is called after its output.
  void add_node(Op node, std::vector<TensorId> inputs, std::size_t output_index = 0);

 private:
  GraphBuilder& builder_;
  const ModelOperator& op_;
};

}  // namespace qsim::tflite
