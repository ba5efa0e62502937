// Workloads written in JSON: docs/workload_format.md describes the format,
// configs/schemas/workload.schema.json every key.
#pragma once

#include <string>
#include <string_view>

#include "workloads/graph.h"

namespace qsim {

/// Reads a workload and its tensors; the graph is valid and in an order that computes. Throws InputError with
/// every problem of the file: unknown keys and operations, names that are used twice or lead nowhere, cycles,
/// shapes that do not fit, quantization outside its limits, a tensor file that is missing or has something
/// else in it.
[[nodiscard]] Graph read_workload_json(const std::string& path);

/// The same from text; `path` names it in messages, and tensor files lie in its folder.
[[nodiscard]] Graph read_workload_json_text(std::string_view text, const std::string& path);

}  // namespace qsim
