#include "workloads/readers/load.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <map>

#include "base/json_reader.h"
#include "base/read_file.h"
#include "workloads/readers/json/json_workload.h"
#include "workloads/readers/onnx/onnx_reader.h"
#include "workloads/readers/scalesim/scalesim_reader.h"
#include "workloads/readers/tflite/tflite_reader.h"

namespace qsim {
namespace {

namespace fs = std::filesystem;

/// Largest file of any format; the readers have smaller limits of their own.
constexpr std::int64_t kMaxWorkloadBytes = std::int64_t{1} << 31;

/// Paths of the workloads that ship, by name; the first folder that has a name wins.
std::map<std::string, fs::path> shipped_workloads(const std::vector<std::string>& search_dirs) {
  std::map<std::string, fs::path> found;
  for (const std::string& folder : search_dirs) {
    std::error_code error;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
      const std::string extension = entry.path().extension().string();
      if (extension == ".json" || extension == ".tflite" || extension == ".csv")
        found.emplace(entry.path().stem().string(), entry.path());
    }
  }
  return found;
}

std::string description_of(const fs::path& path) {
  if (path.extension() == ".csv") return "SCALE-Sim topology";
  if (path.extension() != ".json") return "TFLite model";
  try {
    const nlohmann::ordered_json json = parse_json_file(path.string());
    const auto found = json.is_object() ? json.find("description") : json.end();
    return found != json.end() && found->is_string() ? found->get<std::string>() : "";
  } catch (const InputError& error) {
    return error.problems().front().to_string();
  }
}

}  // namespace

std::string find_workload(const std::string& name_or_path, const std::vector<std::string>& search_dirs) {
  if (is_file(name_or_path)) return name_or_path;
  const bool plain_name = !name_or_path.empty() && fs::path(name_or_path).filename() == name_or_path;
  for (const std::string& folder : search_dirs) {
    for (const char* extension : {"", ".json", ".tflite", ".csv"}) {
      const fs::path candidate = fs::path(folder) / (name_or_path + extension);
      if (plain_name && is_file(candidate.string())) return candidate.string();
    }
  }
  std::vector<std::string> names;
  std::string listed;
  for (const auto& [name, path] : shipped_workloads(search_dirs)) {
    names.push_back(name);
    listed += (listed.empty() ? "" : ", ") + name;
  }
  const std::string nearest = nearest_name(fs::path(name_or_path).stem().string(), names);
  throw InputError(Problem{"--workload",
                           {},
                           '"' + name_or_path + '"',
                           listed.empty() ? "a file that exists" : "a file that exists, or one of " + listed,
                           nearest.empty() ? "check the path" : "did you mean " + nearest + "?"});
}

WorkloadFormat workload_format(const std::string& path) {
  static_cast<void>(
      checked_file_size(path, {"a .onnx or .tflite model or a workload in JSON", kMaxWorkloadBytes}));
  std::ifstream stream(path, std::ios::binary);
  std::array<char, 64> start{};
  stream.read(start.data(), start.size());
  const std::string_view content(start.data(), static_cast<std::size_t>(stream.gcount()));
  // The file identifier of a FlatBuffer stands behind the offset of its root table.
  if (content.size() >= 8 && content.substr(4, 4) == "TFL3") return WorkloadFormat::tflite;
  const std::size_t first = content.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
  if (first != std::string_view::npos && content[first] == '{') return WorkloadFormat::json;
  std::string extension = fs::path(path).extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (extension == ".json") return WorkloadFormat::json;
  if (extension == ".tflite") return WorkloadFormat::tflite;
  if (extension == ".onnx") return WorkloadFormat::onnx;
  if (extension == ".csv") return WorkloadFormat::scalesim;
  throw InputError(Problem{path,
                           {},
                           "a file of another format",
                           "a .onnx or .tflite model, a workload in JSON or a SCALE-Sim topology in .csv",
                           "docs/workload_format.md describes the JSON"});
}

void refuse_shapes(const std::string& path, const InputShapes& shapes) {
  if (shapes.empty()) return;
  throw InputError(Problem{"--shape", shapes.begin()->first, "a shape for " + path,
                           "an ONNX model with open dimensions",
                           "other formats fix their shapes; use --batch for more inputs at once"});
}

Graph load_workload(const std::string& name_or_path, const std::vector<std::string>& search_dirs,
                    const InputShapes& shapes, const InputArrays& arrays) {
  const std::string path = find_workload(name_or_path, search_dirs);
  const WorkloadFormat format = workload_format(path);
  if (format != WorkloadFormat::onnx) refuse_shapes(path, shapes);
  switch (format) {
    case WorkloadFormat::json:
      return read_workload_json(path);
    case WorkloadFormat::tflite:
      return read_tflite(path);
    case WorkloadFormat::scalesim:
      return read_scalesim(path);
    case WorkloadFormat::onnx:
      break;
  }
  return read_onnx(path, {shapes, arrays});
}

std::vector<std::string> list_workloads(const std::vector<std::string>& search_dirs) {
  std::vector<std::string> lines;
  const std::map<std::string, fs::path> shipped = shipped_workloads(search_dirs);
  lines.reserve(shipped.size());
  std::size_t width = 0;
  for (const auto& [name, path] : shipped) width = std::max(width, name.size());
  for (const auto& [name, path] : shipped) {
    lines.push_back(name + std::string(width + 2 - name.size(), ' ') + description_of(path));
  }
  return lines;
}

}  // namespace qsim
