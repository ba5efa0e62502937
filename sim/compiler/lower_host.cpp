// Rows that the chip leaves to the host: what it reads and writes, and the function between.
#include <utility>

#include "sim/compiler/lower.h"
#include "workloads/execute/execute.h"

namespace qsim {

namespace {

std::int64_t stored_bytes(const Tensor& tensor) {
  return element_count(tensor.shape) * static_cast<std::int64_t>(element_size_bytes(tensor.type));
}

/// What an operand's bytes count as: those computed in the run are activations, biases and shifts parameters,
/// other constants weights.
Event traffic_of_operand(const Tensor& tensor, std::size_t index) {
  if (!tensor.is_constant()) return Event::dram_read_activation_bytes;
  return index >= 2 ? Event::dram_read_parameter_bytes : Event::dram_read_weight_bytes;
}

/// The node on operands as the memory holds them: little-endian elements in C order.
std::vector<std::byte> compute_on_host(const Graph& graph, const Node& node,
                                       const std::vector<std::vector<std::byte>>& bytes) {
  std::vector<TensorData> values;
  values.reserve(bytes.size());
  for (const TensorId id : node.inputs) {
    if (id == kNoTensor) continue;
    const Tensor& tensor = graph.tensor(id);
    TensorData value(tensor.type, tensor.shape);
    value.bytes = bytes[values.size()];
    values.push_back(std::move(value));
  }
  std::vector<const TensorData*> operands;
  std::size_t next = 0;
  for (const TensorId id : node.inputs) operands.push_back(id == kNoTensor ? nullptr : &values[next++]);
  return run_host_node(graph, node, operands).bytes;
}

}  // namespace

LoweredRow lower_to_host(const Graph& graph, const Schedule& schedule, std::int32_t row) {
  const Node& node = graph.nodes[schedule.rows[static_cast<std::size_t>(row)].node];
  HostProblem problem;
  LoweredRow lowered;
  lowered.inputs.emplace_back();
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    if (node.inputs[i] == kNoTensor) continue;
    const Tensor& tensor = graph.tensor(node.inputs[i]);
    problem.reads.push_back({stored_bytes(tensor), traffic_of_operand(tensor, i)});
    if (!tensor.is_constant()) {
      lowered.inputs[0].push_back(schedule.storage_of[static_cast<std::size_t>(node.inputs[i])]);
    }
  }
  problem.write = {stored_bytes(graph.tensor(node.outputs[0])), Event::dram_write_activation_bytes};
  problem.compute = [&graph, &node](const std::vector<std::vector<std::byte>>& operands) {
    return compute_on_host(graph, node, operands);
  };
  lowered.output = schedule.storage_of[static_cast<std::size_t>(node.outputs[0])];
  lowered.problems.emplace_back(std::make_shared<const HostProblem>(std::move(problem)));
  return lowered;
}

}  // namespace qsim
