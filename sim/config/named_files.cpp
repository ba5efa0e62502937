#include "sim/config/named_files.h"

#include <filesystem>
#include <set>

#include "base/error.h"
#include "base/json_reader.h"
#include "base/read_file.h"

namespace qsim {

namespace fs = std::filesystem;

bool is_file_path(const std::string& name_or_path) {
  return name_or_path.find('/') != std::string::npos || name_or_path.ends_with(".json");
}

std::vector<std::string> list_named_files(const std::vector<std::string>& folders) {
  std::set<std::string> names;
  for (const std::string& folder : folders) {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder, error)) {
      if (entry.path().extension() == ".json") names.insert(entry.path().stem().string());
    }
  }
  return {names.begin(), names.end()};
}

std::string find_named_file(const std::string& name_or_path, const std::string& base_folder,
                            const std::vector<std::string>& folders, const NamedFileUse& use) {
  const fs::path path = (fs::path(base_folder) / name_or_path).lexically_normal();
  if (is_file_path(name_or_path) && is_file(path.string())) return path.string();
  for (const std::string& folder : folders) {
    // "npu", then "npu.json", then "configs/npu.json" seen from the folder above.
    for (const fs::path& candidate :
         {fs::path(folder) / (name_or_path + ".json"), fs::path(folder) / name_or_path,
          fs::path(folder).parent_path() / name_or_path}) {
      if (!name_or_path.empty() && name_or_path[0] != '.' && is_file(candidate.string()))
        return candidate.string();
    }
  }
  if (!name_or_path.empty() && is_file(path.string())) return path.string();

  const std::vector<std::string> names = list_named_files(folders);
  std::string listed;
  for (const std::string& name : names) listed += (listed.empty() ? "" : ", ") + name;
  const std::string nearest = nearest_name(name_or_path, names);
  throw InputError(
      {use.file, use.place, '"' + name_or_path + '"',
       use.what + ": a file that exists" + (listed.empty() ? "" : " or one of " + listed),
       nearest.empty() ? "check the path (`qsim list` shows what ships)" : "did you mean " + nearest + "?"});
}

}  // namespace qsim
