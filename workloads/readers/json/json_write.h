// Writes a graph as a workload file and a safetensors file with its constants (docs/workload_format.md).
// Reading them back gives the same graph: names, order of the nodes, quantization, constants, rounding
// profile.
#pragma once

#include <string>
#include <vector>

#include "workloads/formats/safetensors.h"
#include "workloads/graph/graph.h"

namespace qsim {

struct WorkloadText {
  std::string json;
  std::vector<FileTensor> constants;  ///< What the file `tensor_file` has to hold.
};

/// `tensor_file` is the name that the workload gives to the file of its constants. The graph is valid. Throws
/// InputError for names that the format cannot hold (not UTF-8, or "__metadata__" of a constant).
[[nodiscard]] WorkloadText encode_workload(const Graph& graph, const std::string& tensor_file);

/// Writes `path` and, where the graph has constants, tensor_file_beside(path): both or none.
void write_workload_json(const Graph& graph, const std::string& path);

/// The file of constants that belongs to a workload: "net.json" -> "net.weights.safetensors".
[[nodiscard]] std::string tensor_file_beside(const std::string& path);

}  // namespace qsim
