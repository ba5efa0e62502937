// Model to Graph: tensors on demand, one node an operator, shape arithmetic folded away.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "workloads/graph.h"
#include "workloads/tflite/model.h"

namespace qsim::tflite {

/// Integers of a shape operand that are known when reading.
struct IndexConstant {
  Shape shape;
  std::vector<std::int64_t> values;
};

class GraphBuilder {
 public:
  explicit GraphBuilder(const Model& model) : model_(model) {}
  /// Converts everything; all operators that cannot be are reported together.
  Graph build();

 private:
  friend class OperatorReader;

  void convert(const ModelOperator& op);
  /// The graph's tensor of a model tensor, made at its first use; kNoTensor for -1.
  TensorId use(std::int32_t index, const std::string& place);
  [[nodiscard]] Tensor make_tensor(const ModelTensor& source, const std::string& place) const;
  /// Constant integers, or what folding computed; nothing where the tensor is computed at run time.
  [[nodiscard]] std::optional<IndexConstant> index_constant(std::int32_t index,
                                                            const std::string& place) const;
  /// Folds an operator on known shapes; false where it is none.
  bool fold(const ModelOperator& op);
  [[nodiscard]] std::optional<IndexConstant> folded_value(const ModelOperator& op) const;

  const Model& model_;
  Graph graph_;
  std::map<std::int32_t, TensorId> ids_;
  std::map<std::int32_t, IndexConstant> folded_;
  std::map<std::int32_t, TensorId> depthwise_weights_;  ///< Model tensor -> its canonical copy.
};

/// Reads one operator into a node.
class OperatorReader {
 public:
  OperatorReader(GraphBuilder& builder, const ModelOperator& op) : builder_(builder), op_(op) {}
  void read();

 private:
  // operators_mac.cpp
  void read_conv();
  void read_depthwise();
  void read_transpose_conv();
  void read_fully_connected();
  TensorId canonical_depthwise_weights();
  void set_padding(Conv2dOp& conv, const Shape& x, const Shape& w) const;
  void check_output_shape_operand();
  void check_weights(std::size_t operand, std::int32_t channel_dimension, bool zero_points_allowed);
  // operators_vector.cpp
  void read_binary(BinaryKind kind);
  void read_pool(PoolKind kind);
  void read_mean();
  void read_softmax();
  void read_unary(UnaryKind kind);
  void read_quantize();
  void read_dequantize();
  // operators_move.cpp
  void read_pad();
  void read_strided_slice();
  void read_slice();
  void read_reshape();
  void read_transpose();
  void read_concatenation();

  [[noreturn]] void fail(const std::string& subject, const std::string& value, const std::string& expected,
                         const std::string& hint = {}) const;
  /// At least `min` and at most `max` operands, the first `min` of them present.
  void expect_inputs(std::size_t min, std::size_t max) const;
  [[nodiscard]] const ModelTensor& input(std::size_t operand) const;
  [[nodiscard]] const ModelTensor& output() const;
  void expect_rank(const ModelTensor& tensor, std::size_t rank) const;
  /// Known integers of a shape operand, `count` of them where that is given.
  [[nodiscard]] std::vector<std::int64_t> indices(std::size_t operand,
                                                  std::optional<std::size_t> count) const;
  /// The types that the reference kernel takes: int8 or int16, the same in all `operands` and the output.
  void expect_same_integer_type(std::size_t operands) const;
  void expect_same_scale(std::size_t operand) const;
  void expect_output_scale(float scale, std::int64_t zero_point, double tolerance) const;
  template <typename T>
  [[nodiscard]] T option(int field, T fallback) const {
    return op_.options ? op_.options->scalar<T>(field, fallback) : fallback;
  }
  [[nodiscard]] Activation activation(int field) const;
  [[nodiscard]] bool same_padding() const;
  TensorId use(std::size_t operand);
  void add_node(Op op, std::vector<TensorId> inputs);

  GraphBuilder& builder_;
  const ModelOperator& op_;
};

}  // namespace qsim::tflite
