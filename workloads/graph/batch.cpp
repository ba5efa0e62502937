#include "workloads/graph/batch.h"

#include <algorithm>

#include "base/error.h"
#include "workloads/graph/shape_inference.h"

namespace qsim {
namespace {

/// Why the operation mixes the elements of a batch, or "" where it does not.
std::string batch_obstacle(const Op& op, const Shape& input) {
  if (const auto* mean = std::get_if<MeanOp>(&op)) {
    if (std::find(mean->axes.begin(), mean->axes.end(), 0) != mean->axes.end())
      return "a mean over dimension 0";
  }
  if (const auto* concat = std::get_if<ConcatOp>(&op)) {
    if (concat->axis == 0) return "a concatenation along dimension 0";
  }
  if (const auto* transpose = std::get_if<TransposeOp>(&op)) {
    if (transpose->permutation.empty() || transpose->permutation[0] != 0)
      return "a transposition of dimension 0";
  }
  if (const auto* pad = std::get_if<PadOp>(&op)) {
    if (pad->before[0] != 0 || pad->after[0] != 0) return "padding of dimension 0";
  }
  if (std::holds_alternative<DynamicQuantizeOp>(op)) return "a quantization by the range of the whole batch";
  if (std::holds_alternative<SoftmaxOp>(op) && input.size() < 2) return "a softmax over dimension 0";
  return {};
}

class BatchPass {
 public:
  BatchPass(Graph& graph, std::int64_t batch) : graph_(graph), batch_(batch) {}

  void run() {
    for (const TensorId id : graph_.inputs) {
      Tensor& tensor = graph_.tensor(id);
      if (begins_with_one(tensor, "graph input \"" + tensor.name + "\"")) tensor.shape[0] = batch_;
    }
    for (Node& node : graph_.nodes) {
      if (problems_.empty()) widen(node);  // A problem changes every shape after it.
    }
    if (!problems_.empty()) throw InputError(problems_);
    graph_.provenance.push_back("batch set to " + std::to_string(batch_));
  }

 private:
  void report(std::string place, std::string value, std::string expected) {
    problems_.push_back({graph_.source, std::move(place), std::move(value), std::move(expected),
                         "this model cannot be batched; leave --batch at 1, or use --inferences"});
  }

  bool begins_with_one(const Tensor& tensor, const std::string& place) {
    const bool ok = !tensor.shape.empty() && tensor.shape[0] == 1;
    if (!ok) report(place, "shape " + to_string(tensor.shape), "a dimension 0 of 1, the batch");
    return ok;
  }

  void widen(Node& node) {
    const std::string place = node.place + " \"" + node.name + "\"";
    std::vector<Shape> inputs;
    for (const TensorId id : node.inputs) {
      if (id != kNoTensor) inputs.push_back(graph_.tensor(id).shape);
    }
    Tensor& output = graph_.tensor(node.outputs[0]);
    const std::string obstacle = batch_obstacle(node.op, inputs[0]);
    if (!obstacle.empty()) return report(place, obstacle, "operations that keep the inputs of a batch apart");
    if (!begins_with_one(output, place + " output")) return;
    if (auto* slice = std::get_if<StridedSliceOp>(&node.op)) {
      slice->begin[0] = 0;
      slice->stride[0] = 1;
      slice->count[0] = batch_;
    }
    Shape widened = output.shape;
    widened[0] = batch_;
    const InferredShape inferred = infer_output_shape(node.op, inputs, widened);
    if (!inferred.ok() || inferred.shape != widened) {
      return report(place, inferred.ok() ? "shape " + to_string(inferred.shape) : inferred.problem,
                    "an output of shape " + to_string(widened));
    }
    output.shape = widened;
  }

  Graph& graph_;
  std::int64_t batch_;
  std::vector<Problem> problems_;
};

}  // namespace

void set_batch(Graph& graph, std::int64_t batch) {
  if (batch < 1)
    throw InputError(Problem{"--batch", {}, std::to_string(batch), "an integer of at least 1", {}});
  if (batch > 1) BatchPass(graph, batch).run();
}

}  // namespace qsim
