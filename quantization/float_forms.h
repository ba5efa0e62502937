// Activations in two forms, floats and integers, with the node between them.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "workloads/graph/graph.h"

namespace qsim {

/// Of a graph whose nodes are written anew: the other form of its activations, each made at its first use.
class FloatForms {
 public:
  /// Of the tensors that the graph has now.
  explicit FloatForms(Graph& graph);

  /// A tensor more, `suffix` behind its name.
  TensorId add_tensor(Tensor tensor, const std::string& suffix);

  /// The tensor NAME#quantize or NAME#dequantize of `id`'s NAME, and the node that makes it; what was made
  /// before is given again. `form`: the tensor itself, in its other form.
  TensorId other(TensorId id, Tensor form, const std::string& place);
  /// As if other() had made it.
  void set_other(TensorId id, TensorId other);

 private:
  Graph& graph_;
  std::vector<TensorId> others_;
};

}  // namespace qsim
