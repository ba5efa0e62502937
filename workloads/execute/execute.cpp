#include "workloads/execute/execute.h"

#include <stdexcept>
#include <unordered_map>

#include "base/error.h"
#include "workloads/execute/execute_nodes.h"
#include "workloads/execute/float/float_nodes.h"
#include "workloads/graph/blocks.h"
#include "workloads/graph/chip_support.h"
#include "workloads/ops/definition.h"

namespace qsim {

struct Executor::Impl {
  Impl(const Graph& g, int thread_count) : graph(g), threads(thread_count), values(g.tensors.size()) {}

  [[nodiscard]] const TensorData& value(TensorId id) const {
    const auto& constant = graph.tensor(id).data;
    if (constant) return *constant;
    const auto& computed = values[static_cast<std::size_t>(id)];
    if (!computed) throw std::logic_error("tensor \"" + graph.tensor(id).name + "\" has no value");
    return *computed;
  }

  const PreparedMac& prepared(const Node& node, std::int64_t part_channels) {
    auto& entry = prepared_nodes[&node];
    if (!entry || entry->part_channels != part_channels)
      entry = std::make_unique<PreparedMac>(prepare_mac(graph, node, part_channels));
    return *entry;
  }

  arithmetic::AccumulatorStats run_on_mac_array(const Node& node, const MacContext& context,
                                                TensorData& output) {
    if (multiplies_blocks(graph, node))
      return run_blocks(graph, node, context, value(node.inputs[0]), output, threads);
    const MacRun run{graph,  node,   prepared(node, context.part_channels), context, value(node.inputs[0]),
                     output, threads};
    return run.prepared.depthwise ? run_depthwise(run) : run_mac(run);
  }

  [[nodiscard]] Operands operands(const Node& node) const {
    Operands inputs;
    for (const TensorId id : node.inputs) inputs.push_back(id == kNoTensor ? nullptr : &value(id));
    return inputs;
  }

  void run_float(const Node& node, TensorData& output) {
    const Operands inputs = operands(node);
    const NodeRun run{graph, node, inputs, output, threads};
    if (!definition(node.op).has_weights) return run_float_node(run, nullptr);
    auto& prepared_node = prepared_float[&node];
    if (!prepared_node) prepared_node = std::make_unique<PreparedFloatMac>(prepare_float_mac(run));
    run_float_node(run, prepared_node.get());
  }

  void run_vector(const Node& node, TensorData& output) {
    const Operands inputs = operands(node);
    const NodeRun run{graph, node, inputs, output, threads};
    const OpDefinition& row = definition(node.op);
    row.run != nullptr ? row.run(run) : run_vector_function(run, vector_function(graph, node));
  }

  const Graph& graph;
  int threads;
  std::vector<std::optional<TensorData>> values;
  std::unordered_map<const Node*, std::unique_ptr<PreparedMac>> prepared_nodes;
  std::unordered_map<const Node*, std::unique_ptr<PreparedFloatMac>> prepared_float;
};

Executor::Executor(const Graph& graph, int threads) : impl_(std::make_unique<Impl>(graph, threads)) {}
Executor::~Executor() = default;

void Executor::set_input(TensorId id, TensorData value) {
  impl_->values[static_cast<std::size_t>(id)] = std::move(value);
}

std::optional<arithmetic::AccumulatorStats> Executor::run_node(const Node& node, const MacContext& context) {
  require_chip_support(impl_->graph, node);
  const TensorId id = node.outputs[0];
  const Tensor& tensor = impl_->graph.tensor(id);
  TensorData output(tensor.type, tensor.shape);
  std::optional<arithmetic::AccumulatorStats> stats;
  if (is_float_node(impl_->graph, node)) {
    impl_->run_float(node, output);
  } else if (const OpDefinition& row = definition(node.op); row.engine == Engine::mac_array) {
    stats = row.has_weights
                ? impl_->run_on_mac_array(node, context, output)
                : run_matmul(impl_->graph, node, context, impl_->operands(node), output, impl_->threads);
  } else {
    impl_->run_vector(node, output);
  }
  impl_->values[static_cast<std::size_t>(id)] = std::move(output);
  return stats;
}

const TensorData& Executor::value(TensorId id) const {
  return impl_->value(id);
}

bool Executor::has_value(TensorId id) const {
  return impl_->graph.tensor(id).is_constant() || impl_->values[static_cast<std::size_t>(id)].has_value();
}

void Executor::release(TensorId id) {
  impl_->values[static_cast<std::size_t>(id)].reset();
}

TensorData run_host_node(const Graph& graph, const Node& node, const std::vector<const TensorData*>& operands,
                         int threads) {
  const Tensor& tensor = graph.tensor(node.outputs[0]);
  TensorData output(tensor.type, tensor.shape);
  const NodeRun run{graph, node, operands, output, threads};
  if (definition(node.op).has_weights) {
    const PreparedFloatMac prepared = prepare_float_mac(run);
    run_float_node(run, &prepared);
  } else {
    run_float_node(run, nullptr);
  }
  return output;
}

void check_input(const Graph& graph, TensorId id, const TensorData& value, const std::string& file) {
  const Tensor& tensor = graph.tensor(id);
  const std::string place = "input \"" + tensor.name + "\"";
  if (value.type != tensor.type) {
    throw InputError({file, place, element_type_name(value.type), element_type_name(tensor.type), {}});
  }
  if (value.shape != tensor.shape) {
    throw InputError({file, place, "shape " + to_string(value.shape), to_string(tensor.shape), {}});
  }
  if (tensor.required_value && tensor.required_value->bytes != value.bytes) {
    throw InputError({file, place, "another shape than the model declares", "the declared output shape",
                      "leave the input out: it is filled in"});
  }
  if (!tensor.quantization) return;
  const arithmetic::IntegerFormat format = tensor.quantization->format();
  for (std::int64_t i = 0; i < value.size(); ++i) {
    const std::int64_t element = value.at(i);
    if (element >= format.min() && element <= format.max()) continue;
    throw InputError({file, place + " element " + std::to_string(i), std::to_string(element),
                      std::to_string(format.min()) + " to " + std::to_string(format.max()),
                      "the input has " + std::to_string(format.bits) + " bits"});
  }
}

}  // namespace qsim
