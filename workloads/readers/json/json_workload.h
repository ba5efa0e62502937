// Workloads written in JSON: docs/workload_format.md describes the format,
// configs/schemas/workload.schema.json every key.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "workloads/graph/graph.h"

namespace qsim {

struct WorkloadFormat;

/// What an entry of "layers" says of itself, readable or not.
struct ListedLayer {
  std::string path;  ///< "layers[3]"
  std::string name;  ///< As written, like `op`; empty where it is no string.
  std::string op;
};

/// Reads a workload and its tensors; the graph is valid and in an order that computes. Throws InputError with
/// every problem of the file: unknown keys and operations, names that are used twice or lead nowhere, cycles,
/// shapes that do not fit, quantization outside its limits, a tensor file that is missing or has something
/// else in it.
[[nodiscard]] Graph read_workload_json(const std::string& path);

/// A workload file as far as it can be read.
struct JsonWorkload {
  Graph graph;                      ///< Nodes of the layers that could be read, in an order that computes.
  std::vector<ListedLayer> layers;  ///< All entries of the file's list, in its order.
  std::vector<Problem> problems;
  std::size_t omitted_problems = 0;  ///< Found beside these.
  /// Tensors whose shape or values could not be found out, because of one of the problems.
  std::vector<TensorId> unknown_tensors;
};
/// Reads on where something is wrong; the graph is not validated. Throws InputError where the file is no JSON
/// object.
[[nodiscard]] JsonWorkload read_workload_json_leniently(const std::string& path);

/// The same from text; `path` names it in messages, and tensor files lie in its folder.
[[nodiscard]] Graph read_workload_json_text(std::string_view text, const std::string& path);

/// Its row of workload_format.h.
[[nodiscard]] const WorkloadFormat& json_workload_format();

}  // namespace qsim
