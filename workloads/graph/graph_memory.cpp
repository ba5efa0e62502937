#include "workloads/graph/graph_memory.h"

#include <algorithm>
#include <string>
#include <vector>

#include "base/error.h"
#include "workloads/graph/liveness.h"
#include "workloads/ops/definition.h"

namespace qsim {
namespace {

std::int64_t stored_bytes(const Tensor& tensor) {
  return element_count(tensor.shape) * static_cast<std::int64_t>(element_size_bytes(tensor.type));
}

std::int64_t scratch_bytes(const Graph& graph, const Node& node) {
  const OpDefinition& row = definition(node.op);
  return row.scratch_bytes == nullptr ? 0 : row.scratch_bytes(graph, node);
}

}  // namespace

std::int64_t constant_bytes(const Graph& graph) {
  std::int64_t bytes = 0;
  std::int64_t largest = 0;
  for (const Tensor& tensor : graph.tensors) bytes += tensor.is_constant() ? stored_bytes(tensor) : 0;
  for (const Node& node : graph.nodes) {
    if (mac_count(graph, node) == 0) continue;
    const std::int64_t elements = element_count(graph.tensor(node.inputs[1]).shape);
    bytes += 4 * elements;
    largest = std::max(largest, 4 * elements);
  }
  return bytes + largest;
}

std::int64_t activation_bytes(const Graph& graph, bool keep_all) {
  const std::vector<std::size_t> last = last_readers(graph);
  std::vector<std::int64_t> freed(graph.nodes.size(), 0);  // Behind each node.
  std::int64_t alive = 0;
  const auto begin_life = [&](TensorId id) {
    const std::int64_t bytes = stored_bytes(graph.tensor(id));
    alive += bytes;
    const std::size_t reader = last[static_cast<std::size_t>(id)];
    if (!keep_all && reader < freed.size()) freed[reader] += bytes;
  };
  for (const TensorId id : graph.inputs) begin_life(id);
  std::int64_t peak = alive;
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    // What nobody reads is freed by the end of the run; counting it as alive errs on the safe side.
    for (const TensorId id : graph.nodes[n].outputs) begin_life(id);
    peak = std::max(peak, alive + scratch_bytes(graph, graph.nodes[n]));
    alive -= freed[n];
  }
  return peak;
}

std::int64_t table_bytes(const Graph& graph) {
  constexpr std::int64_t kCopies = 4;
  std::int64_t entries = 0;
  for (const Node& node : graph.nodes) {
    if (!definition(node.op).has_tables) continue;
    for (const TensorId id : node.inputs) {
      const auto& q = graph.tensor(id).quantization;
      if (q) entries += std::int64_t{1} << q->bits;
    }
  }
  return kCopies * static_cast<std::int64_t>(sizeof(std::int32_t)) * entries;
}

void check_run_bytes(const Graph& graph, std::int64_t bytes, const char* what, const char* hint) {
  if (bytes <= kMaxRunBytes) return;
  throw InputError(Problem{graph.source, what, std::to_string(bytes) + " bytes of memory",
                           "at most " + std::to_string(kMaxRunBytes) + " (8 GiB)", hint});
}

}  // namespace qsim
