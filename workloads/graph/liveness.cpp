#include "workloads/graph/liveness.h"

namespace qsim {

std::vector<std::size_t> last_readers(const Graph& graph) {
  std::vector<std::size_t> last(graph.tensors.size(), kNeverRead);
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    for (const TensorId id : graph.nodes[n].inputs) {
      if (id != kNoTensor) last[static_cast<std::size_t>(id)] = n;
    }
  }
  for (const TensorId id : graph.outputs) last[static_cast<std::size_t>(id)] = kReadAfterTheRun;
  return last;
}

}  // namespace qsim
