#include "workloads/graph/batch.h"

#include "base/error.h"
#include "workloads/graph/blocks.h"
#include "workloads/graph/shape_inference.h"
#include "workloads/ops/definition.h"

namespace qsim {
namespace {

class BatchPass {
 public:
  BatchPass(Graph& graph, std::int64_t batch) : graph_(graph), batch_(batch) {}

  void run() {
    for (const TensorId id : graph_.inputs) {
      Tensor& tensor = graph_.tensor(id);
      if (begins_with_batch(tensor, "graph input \"" + tensor.name + "\"")) tensor.shape[0] = batch_;
    }
    for (Node& node : graph_.nodes) {
      if (problems_.empty()) widen(node);  // A problem changes every shape after it.
    }
    if (!problems_.empty()) throw InputError(problems_);
    graph_.batch = batch_;
    graph_.provenance.push_back("batch set to " + std::to_string(batch_));
  }

 private:
  void report(std::string place, std::string value, std::string expected) {
    problems_.push_back({graph_.source, std::move(place), std::move(value), std::move(expected),
                         "this model cannot be batched; leave --batch at 1, or use --inferences"});
  }

  bool begins_with_batch(const Tensor& tensor, const std::string& place) {
    const bool ok = !tensor.shape.empty() && tensor.shape[0] == graph_.batch;
    if (!ok)
      report(place, "shape " + to_string(tensor.shape),
             "a dimension 0 of " + std::to_string(graph_.batch) + ", the batch");
    return ok;
  }

  void widen(Node& node) {
    const std::string place = node.place + " \"" + node.name + "\"";
    std::vector<Shape> inputs;
    for (const TensorId id : node.inputs) {
      if (id != kNoTensor) inputs.push_back(graph_.tensor(id).shape);
    }
    Tensor& output = graph_.tensor(node.outputs[0]);
    const OpDefinition& row = definition(node.op);
    const std::string obstacle = row.batch_obstacle ? row.batch_obstacle(node.op, inputs[0]) : "";
    if (!obstacle.empty()) return report(place, obstacle, "operations that keep the inputs of a batch apart");
    if (!begins_with_batch(output, place + " output")) return;
    if (row.set_batch) row.set_batch(node.op, batch_);
    Shape widened = output.shape;
    widened[0] = batch_;
    // Of blocks the last dimension has the exponents, too.
    if (has_blocks(output) || has_blocks(graph_.tensor(node.inputs[0]))) {
      output.shape = widened;
      return;
    }
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
  if (batch != graph.batch) BatchPass(graph, batch).run();
}

}  // namespace qsim
