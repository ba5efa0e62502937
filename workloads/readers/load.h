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

enum class WorkloadFormat { json, tflite, onnx, scalesim };

/// Reads a workload. A file at `name_or_path` goes first; otherwise NAME, NAME.json, NAME.tflite and NAME.csv
/// are looked for in `search_dirs`, first match first ("resnet" and "resnet.json" both mean the one that
/// ships). The format is told by the content: TFLite models by their identifier "TFL3", JSON by its brace; by
/// the extension where neither shows, as in ONNX models and SCALE-Sim topologies (.csv). `shapes` fixes open
/// dimensions of an ONNX model's inputs, by name; other formats have none. `arrays` are those of
/// OnnxReadOptions. Throws InputError; where nothing is found it lists what ships and names the nearest.
[[nodiscard]] Graph load_workload(const std::string& name_or_path,
                                  const std::vector<std::string>& search_dirs, const InputShapes& shapes = {},
                                  const InputArrays& arrays = {});

/// Format of a file, told as load_workload() tells it. Throws InputError where it is none of them.
[[nodiscard]] WorkloadFormat workload_format(const std::string& path);

/// Throws InputError where shapes are given for a workload whose format fixes them.
void refuse_shapes(const std::string& path, const InputShapes& shapes);

/// Path of the file that load_workload would read.
[[nodiscard]] std::string find_workload(const std::string& name_or_path,
                                        const std::vector<std::string>& search_dirs);

/// One line a workload, sorted: "NAME  DESCRIPTION".
[[nodiscard]] std::vector<std::string> list_workloads(const std::vector<std::string>& search_dirs);

}  // namespace qsim
