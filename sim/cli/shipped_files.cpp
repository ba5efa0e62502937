#include "sim/cli/shipped_files.h"

#include <cstdlib>
#include <filesystem>
#include <sstream>

namespace qsim::cli {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> roots() {
  std::vector<fs::path> found;
  if (const char* variable = std::getenv("QSIM_PATH"); variable != nullptr) {
    std::istringstream folders(variable);
    for (std::string folder; std::getline(folders, folder, ':');) {
      if (!folder.empty()) found.emplace_back(folder);
    }
  }
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (!error) {
    found.push_back(program.parent_path().parent_path() / "share" / "qsim");
#ifdef QSIM_BUILD_FOLDER
    if (program.parent_path() == fs::path(QSIM_BUILD_FOLDER)) found.emplace_back(QSIM_SOURCE_FOLDER);
#endif
  }
  return found;
}

}  // namespace

ShippedFiles find_shipped_files() {
  ShippedFiles files;
  const auto keep = [](const fs::path& folder, std::vector<std::string>& folders) {
    std::error_code error;
    if (fs::is_directory(folder, error)) folders.push_back(folder.string());
  };
  for (const fs::path& root : roots()) {
    keep(root / "configs", files.hardware);
    keep(root / "configs" / "energy", files.energy);
    keep(root / "configs" / "preprocess", files.preprocess);
    keep(root / "workloads" / "models", files.workloads);
  }
  return files;
}

}  // namespace qsim::cli
