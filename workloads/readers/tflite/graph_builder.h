// Model to Graph: tensors on demand, one node an operator, shape arithmetic folded away.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "workloads/graph/graph.h"
#include "workloads/readers/tflite/constant.h"
#include "workloads/readers/tflite/model.h"

namespace qsim::tflite {

/// What to do about a float model.
inline constexpr const char* kQuantizeHint =
    "convert it with full-integer post-training quantization (a representative data set, int8 or 16x8 "
    "operators)";

/// What became of one operator.
struct ConvertedOperator {
  /// Its nodes in the graph: [first_node, end_node).
  std::size_t first_node = 0, end_node = 0;
  TensorId first_output = kNoTensor;  ///< What its own node writes; the others prepare operands.
  bool is_folded = false;             ///< Its value is known when reading.
  std::vector<Problem> problems;      ///< Not empty: it is neither, and has no nodes.
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

  // What the operators' rows work with.
  [[nodiscard]] const Model& model() const { return model_; }
  [[nodiscard]] Graph& graph() { return graph_; }
  /// The graph's tensor of a model tensor, made at its first use; kNoTensor for -1.
  TensorId use(std::int32_t index, const std::string& place);
  /// Constant weights of a depthwise convolution: [1, KH, KW, N] of the file becomes [N, KH, KW, 1], a copy
  /// under a name of its own where others use the tensor.
  TensorId depthwise_weights(std::int32_t index, const std::string& place);
  [[nodiscard]] Tensor make_tensor(const ModelTensor& source, const std::string& place) const;
  /// Constant integers, or what folding computed; nothing where the tensor is computed at run time.
  [[nodiscard]] std::optional<IndexConstant> index_constant(std::int32_t index,
                                                            const std::string& place) const;

 private:
  ConvertedOperator try_converting(const ModelOperator& op);
  /// Folds an operator on known shapes; false where it is none.
  bool fold(const ModelOperator& op);
  void read(const ModelOperator& op);

  const Model& model_;
  Graph graph_;
  std::map<std::int32_t, TensorId> ids_;
  std::map<std::int32_t, IndexConstant> folded_;
  std::map<std::int32_t, TensorId> depthwise_weights_;  ///< Model tensor -> its canonical copy.
};

}  // namespace qsim::tflite
