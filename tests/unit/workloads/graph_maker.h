// Small graphs for tests: tensors with seeded random values, one node at a time.
#pragma once

#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "workloads/execute/execute.h"
#include "workloads/graph/graph.h"

struct TensorOptions {
  int bits = 8;
  bool is_signed = true;
  std::vector<float> scales{0.05F};
  std::vector<std::int32_t> zero_points{0};
};

class GraphMaker {
 public:
  explicit GraphMaker(unsigned seed = 1) : random_(seed) { graph.source = "test"; }

  qsim::TensorId add(const std::string& name, qsim::Shape shape, const TensorOptions& options = {}) {
    qsim::Tensor tensor;
    tensor.name = name;
    tensor.shape = std::move(shape);
    tensor.type = qsim::smallest_element_type(options.bits, options.is_signed);
    tensor.quantization =
        qsim::Quantization{options.bits,
                           options.is_signed,
                           options.scales,
                           options.zero_points,
                           options.scales.size() > 1 || options.zero_points.size() > 1 ? 0 : -1,
                           0};
    graph.tensors.push_back(std::move(tensor));
    return static_cast<qsim::TensorId>(graph.tensors.size() - 1);
  }

  qsim::TensorId add_input(const std::string& name, qsim::Shape shape, const TensorOptions& options = {}) {
    const qsim::TensorId id = add(name, std::move(shape), options);
    graph.inputs.push_back(id);
    return id;
  }

  qsim::TensorId add_constant(const std::string& name, qsim::Shape shape, const TensorOptions& options = {}) {
    const qsim::TensorId id = add(name, std::move(shape), options);
    graph.tensor(id).data = random_data(graph.tensor(id));
    return id;
  }

  qsim::TensorId add_bias(std::int64_t channels, std::int64_t limit = 1000) {
    qsim::Tensor tensor;
    tensor.name = "bias";
    tensor.shape = {channels};
    tensor.type = qsim::ElementType::i32;
    tensor.data = qsim::TensorData(tensor.type, tensor.shape);
    std::uniform_int_distribution<std::int64_t> values(-limit, limit);
    for (std::int64_t i = 0; i < channels; ++i) tensor.data->set(i, values(random_));
    graph.tensors.push_back(std::move(tensor));
    return static_cast<qsim::TensorId>(graph.tensors.size() - 1);
  }

  qsim::TensorData random_data(const qsim::Tensor& tensor) {
    qsim::TensorData data(tensor.type, tensor.shape);
    const auto format = tensor.quantization->format();
    std::uniform_int_distribution<std::int64_t> values(format.min(), format.max());
    for (std::int64_t i = 0; i < data.size(); ++i) data.set(i, values(random_));
    return data;
  }

  /// The last node's output is the graph's.
  const qsim::Node& add_node(qsim::Op op, std::vector<qsim::TensorId> inputs, qsim::TensorId output) {
    const std::string place = "layers[" + std::to_string(graph.nodes.size()) + "]";
    graph.nodes.push_back({graph.tensor(output).name, place, std::move(op), std::move(inputs), {output}});
    graph.outputs = {output};
    return graph.nodes.back();
  }

  std::int64_t draw(std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(random_);
  }

  qsim::Graph graph;

 private:
  std::mt19937 random_;
};

/// Runs the last node of a valid graph on the given inputs.
struct NodeRun {
  qsim::TensorData output;
  std::optional<qsim::arithmetic::AccumulatorStats> stats;
};
inline NodeRun run_last_node(const qsim::Graph& graph, const std::vector<qsim::TensorData>& inputs,
                             const qsim::MacContext& context = {}) {
  qsim::validate(graph);
  qsim::Executor executor(graph);
  for (std::size_t i = 0; i < inputs.size(); ++i) executor.set_input(graph.inputs[i], inputs[i]);
  NodeRun run;
  for (const qsim::Node& node : graph.nodes) run.stats = executor.run_node(node, context);
  run.output = executor.value(graph.outputs[0]);
  return run;
}
