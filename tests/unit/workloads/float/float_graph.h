// Small float graphs for tests.
#pragma once

#include <random>
#include <string>
#include <utility>
#include <vector>

#include "workloads/execute/execute.h"
#include "workloads/graph/graph.h"

inline qsim::TensorData float_data(qsim::Shape shape, const std::vector<float>& values) {
  qsim::TensorData data(qsim::ElementType::f32, std::move(shape));
  std::copy(values.begin(), values.end(), data.as<float>().begin());
  return data;
}

inline std::vector<float> values_of(const qsim::TensorData& data) {
  return {data.as<float>().begin(), data.as<float>().end()};
}

class FloatGraph {
 public:
  explicit FloatGraph(unsigned seed = 1) : random_(seed) { graph.source = "test"; }

  qsim::TensorId add(qsim::Shape shape) {
    qsim::Tensor tensor;
    tensor.name = "t" + std::to_string(graph.tensors.size());
    tensor.shape = std::move(shape);
    tensor.type = qsim::ElementType::f32;
    graph.tensors.push_back(std::move(tensor));
    return static_cast<qsim::TensorId>(graph.tensors.size() - 1);
  }
  qsim::TensorId add_input(qsim::Shape shape) {
    graph.inputs.push_back(add(std::move(shape)));
    return graph.inputs.back();
  }
  qsim::TensorId add_constant(qsim::TensorData data) {
    const qsim::TensorId id = add(data.shape);
    graph.tensor(id).data = std::move(data);
    return id;
  }
  qsim::TensorId add_constant(const qsim::Shape& shape) { return add_constant(random_data(shape)); }

  /// Normal values.
  qsim::TensorData random_data(const qsim::Shape& shape) {
    qsim::TensorData data(qsim::ElementType::f32, shape);
    std::normal_distribution<float> values;
    for (float& x : data.as<float>()) x = values(random_);
    return data;
  }
  /// A node of the graph's only output.
  qsim::TensorId add_node(qsim::Op op, std::vector<qsim::TensorId> inputs, qsim::Shape output_shape) {
    const qsim::TensorId output = add(std::move(output_shape));
    const std::string place = "layers[" + std::to_string(graph.nodes.size()) + "]";
    graph.nodes.push_back({graph.tensor(output).name, place, std::move(op), std::move(inputs), {output}});
    graph.outputs = {output};
    return output;
  }
  std::int64_t draw(std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(random_);
  }

  /// The output for the given inputs.
  [[nodiscard]] qsim::TensorData run(const std::vector<qsim::TensorData>& inputs, int threads = 1) const {
    qsim::validate(graph);
    qsim::Executor executor(graph, threads);
    for (std::size_t i = 0; i < inputs.size(); ++i) executor.set_input(graph.inputs[i], inputs[i]);
    for (const qsim::Node& node : graph.nodes) executor.run_node(node, {});
    return executor.value(graph.outputs[0]);
  }

  qsim::Graph graph;

 private:
  std::mt19937 random_;
};

/// One operation on one input.
inline std::vector<float> run_float_op(const qsim::Op& op, const qsim::TensorData& x,
                                       const qsim::Shape& output,
                                       qsim::Semantics semantics = qsim::Semantics::tflite) {
  FloatGraph maker;
  maker.graph.semantics = semantics;
  maker.add_node(op, {maker.add_input(x.shape)}, output);
  return values_of(maker.run({x}));
}
