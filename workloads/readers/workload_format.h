// The formats of workload files, a row each: whatever names, tells apart, reads or offers them asks the rows.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "workloads/graph/graph.h"
#include "workloads/readers/support.h"

namespace qsim {

struct WorkloadFormat {
  std::string_view name;        ///< "tflite", as in the JSON of qsim check.
  std::string_view title;       ///< "TFLite", in text.
  std::string_view extension;   ///< ".tflite"; files that ship are found by it.
  std::string_view short_name;  ///< In one line of help: "SCALE-Sim .csv".
  std::string_view phrase;      ///< In a message: "a SCALE-Sim topology in .csv".
  /// What to do about a problem that says nothing of it itself.
  std::string_view remedy;
  bool has_open_shapes = false;  ///< Inputs may leave dimensions open, which ReadOptions::shapes fixes.
  /// True where a file that begins so is of this format, whatever its name. Null: only the extension tells.
  bool (*begins_as)(std::string_view start) = nullptr;
  /// What a file that ships says of itself, in a line. Null: the title.
  std::string (*describe)(const std::string& path) = nullptr;
  /// The graph is valid. Throws InputError with every problem that is found.
  Graph (*read)(const std::string& path, const ReadOptions& options) = nullptr;
  /// As survey_workload() does, which fills WorkloadSurvey::format in.
  WorkloadSurvey (*survey)(const std::string& path, const ReadOptions& options) = nullptr;
};

/// In the order in which they are named, told apart and looked for.
[[nodiscard]] std::span<const WorkloadFormat* const> workload_formats();

/// Format of a file: by its content where that shows, else by its extension. Throws InputError where it is
/// none of them.
[[nodiscard]] const WorkloadFormat& workload_format(const std::string& path);

/// ".json", ".onnx", ..
[[nodiscard]] std::vector<std::string> workload_extensions();

/// "workload JSON, .onnx, ..", for help.
[[nodiscard]] std::string workload_format_names();

}  // namespace qsim
