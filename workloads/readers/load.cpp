#include "workloads/readers/load.h"

#include <algorithm>
#include <filesystem>

#include "base/json_reader.h"
#include "base/read_file.h"
#include "workloads/readers/support.h"
#include "workloads/readers/workload_format.h"

namespace qsim {
namespace {

namespace fs = std::filesystem;

struct Shipped {
  fs::path path;
  const WorkloadFormat* format;  ///< By the extension.
};

/// The workloads that ship, by name; the first folder that has a name wins.
std::map<std::string, Shipped> shipped_workloads(const std::vector<std::string>& search_dirs) {
  std::map<std::string, Shipped> found;
  for (const std::string& folder : search_dirs) {
    std::error_code error;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
      const std::string extension = entry.path().extension().string();
      for (const WorkloadFormat* format : workload_formats()) {
        if (extension == format->extension)
          found.emplace(entry.path().stem().string(), Shipped{entry.path(), format});
      }
    }
  }
  return found;
}

/// The format of what is to be read; shapes are refused where its files fix them.
const WorkloadFormat& format_for(const std::string& path, const InputShapes& shapes) {
  const WorkloadFormat& format = workload_format(path);
  if (shapes.empty() || format.has_open_shapes) return format;
  throw InputError(Problem{"--shape", shapes.begin()->first, "a shape for " + path,
                           "an ONNX model with open dimensions",
                           "other formats fix their shapes; use --batch for more inputs at once"});
}

}  // namespace

std::string find_workload(const std::string& name_or_path, const std::vector<std::string>& search_dirs) {
  if (is_file(name_or_path)) return name_or_path;
  const bool plain_name = !name_or_path.empty() && fs::path(name_or_path).filename() == name_or_path;
  std::vector<std::string> extensions = workload_extensions();
  extensions.insert(extensions.begin(), "");
  for (const std::string& folder : search_dirs) {
    for (const std::string& extension : extensions) {
      const fs::path candidate = fs::path(folder) / (name_or_path + extension);
      if (plain_name && is_file(candidate.string())) return candidate.string();
    }
  }
  std::vector<std::string> names;
  std::string listed;
  for (const auto& [name, shipped] : shipped_workloads(search_dirs)) {
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

Graph load_workload(const std::string& name_or_path, const std::vector<std::string>& search_dirs,
                    const ReadOptions& options) {
  const std::string path = find_workload(name_or_path, search_dirs);
  return format_for(path, options.shapes).read(path, options);
}

WorkloadSurvey survey_workload(const std::string& name_or_path, const std::vector<std::string>& search_dirs,
                               const InputShapes& shapes) {
  const std::string path = find_workload(name_or_path, search_dirs);
  const WorkloadFormat& format = format_for(path, shapes);
  WorkloadSurvey survey = format.survey(path, {shapes});
  survey.format = &format;
  return survey;
}

std::vector<ListedWorkload> list_workloads(const std::vector<std::string>& search_dirs) {
  std::vector<ListedWorkload> listed;
  for (const auto& [name, shipped] : shipped_workloads(search_dirs)) {
    const WorkloadFormat& format = *shipped.format;
    listed.push_back({name, format.describe != nullptr ? format.describe(shipped.path.string())
                                                       : std::string(format.title)});
  }
  return listed;
}

}  // namespace qsim
