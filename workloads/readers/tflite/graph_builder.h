// Model to Graph: tensors on demand, one node an operator, shape arithmetic folded away.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "workloads/graph/graph.h"
#include "workloads/readers/tflite/model.h"

namespace qsim::tflite {

/// Integers of a shape operand that are known when reading.
struct IndexConstant {
  Shape shape;
  std::vector<std::int64_t> values;
};

/// What to do about a float model.
inline constexpr const char* kQuantizeHint =
    "convert it with full-integer post-training quantization (a representative data set, int8 or 16x8 "
    "operators)";

/// What became of one operator.
struct ConvertedOperator {
  std::optional<std::size_t> node;  ///< Its node in the graph.
  bool is_folded = false;           ///< Its value is known when reading.
  std::vector<Problem> problems;    ///< Not empty: it is neither.
};

/// A model as far as it can be converted. The graph has the nodes of the operators without problems, in their
/// order; its wiring is whole only where there is no problem.
struct ConvertedModel {
  Graph graph;
  std::vector<ConvertedOperator> operators;  ///< One an operator of the model.
  std::vector<Problem> problems;             ///< Of the model's inputs and outputs.
};

class GraphBuilder {
 public:
  explicit GraphBuilder(const Model& model) : model_(model) {}
  /// Converts everything; all operators that cannot be are reported together.
  Graph build();
  /// Converts every operator that can be, whatever is wrong with the others.
  ConvertedModel convert();

 private:
  friend class OperatorReader;

  ConvertedOperator try_converting(const ModelOperator& op);
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
  using Reader = void (*)(OperatorReader&);
  [[nodiscard]] static Reader reader_of(OperatorCode code);

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
  // operators_more.cpp
  void read_extremum(BinaryKind kind);
  void read_gelu();
  void read_prelu();
  void read_resize(ResizeMode mode);
  void read_batch_matmul();
  /// The operand with its last two dimensions exchanged, by a node of its own.
  TensorId turn_matrices(std::size_t operand);
  void read_split();
  void read_split_v();
  /// One slice an output; `axis` counts from the end where negative.
  void add_slices(std::size_t operand, std::int64_t axis, const std::vector<std::int64_t>& lengths);

  [[noreturn]] void fail(const std::string& subject, const std::string& value, const std::string& expected,
                         const std::string& hint = {}) const;
  /// At least `min` and at most `max` operands, the first `min` of them present.
  void expect_inputs(std::size_t min, std::size_t max) const;
  [[nodiscard]] const ModelTensor& input(std::size_t operand) const;
  [[nodiscard]] const ModelTensor& output(std::size_t index = 0) const;
  void expect_rank(const ModelTensor& tensor, std::size_t rank) const;
  /// Known integers of a shape operand, `count` of them where that is given.
  [[nodiscard]] std::vector<std::int64_t> indices(std::size_t operand,
                                                  std::optional<std::size_t> count) const;
  /// The types that the reference kernel takes: int8, int16 or float32, the same in all `operands` and the
  /// output.
  void expect_same_type(std::size_t operands) const;
  [[nodiscard]] bool is_float() const { return output().type == TypeCode::float32; }
  void expect_same_scale(std::size_t operand) const;
  void expect_output_scale(float scale, std::int64_t zero_point, double tolerance) const;
  template <typename T>
  [[nodiscard]] T option(int field, T fallback) const {
    return op_.options ? op_.options->scalar<T>(field, fallback) : fallback;
  }
  [[nodiscard]] Activation activation(int field) const;
  [[nodiscard]] bool same_padding() const;
  TensorId use(std::size_t operand);
  /// The node is called after its output.
  void add_node(Op op, std::vector<TensorId> inputs, std::size_t output_index = 0);

  GraphBuilder& builder_;
  const ModelOperator& op_;
};

}  // namespace qsim::tflite
