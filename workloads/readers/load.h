// Workloads by path or by the name under which they ship, whatever their format.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "workloads/graph/graph.h"

namespace qsim {

/// Shapes of inputs by name, in the model's order of dimensions.
using InputShapes = std::map<std::string, Shape>;

/// .npy files of inputs by name.
using InputArrays = std::map<std::string, std::string>;

/// What a reader may be told beside the file.
struct ReadOptions {
  /// Shapes of inputs, for dimensions that an ONNX model leaves open.
  InputShapes shapes = {};
  /// Those of an ONNX model that have to be known when reading (scales, weights, shapes) become constants,
  /// and are listed in Graph::constant_inputs; the others are left alone.
  InputArrays arrays = {};
};

/// Reads a workload. A file at `name_or_path` goes first; otherwise NAME, and NAME with the extension of each
/// format, are looked for in `search_dirs`, first match first ("resnet" and "resnet.json" both mean the one
/// that ships). The format is told by the content, by the extension where that shows nothing
/// (workload_format.h). Shapes for a format whose files fix them are an error. Throws InputError; where
/// nothing is found it lists what ships and names the nearest.
[[nodiscard]] Graph load_workload(const std::string& name_or_path,
                                  const std::vector<std::string>& search_dirs,
                                  const ReadOptions& options = {});

/// Path of the file that load_workload would read.
[[nodiscard]] std::string find_workload(const std::string& name_or_path,
                                        const std::vector<std::string>& search_dirs);

/// A workload that ships.
struct ListedWorkload {
  std::string name;
  std::string description;
};

/// Sorted by name.
[[nodiscard]] std::vector<ListedWorkload> list_workloads(const std::vector<std::string>& search_dirs);

}  // namespace qsim
