#include "sim/cli/output_files.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <map>
#include <utility>

#include "base/error.h"
#include "workloads/readers/workload_format.h"

namespace qsim::cli {
namespace {

namespace fs = std::filesystem;

/// Why `path` cannot be written, or "".
std::string obstacle(const fs::path& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) return "a folder";
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  if (!fs::is_directory(folder, error)) return "a file in a folder that does not exist";
  // A regular file is replaced by renaming, which takes the folder's permission; a device is written to.
  const bool is_device = fs::exists(path, error) && !fs::is_regular_file(path, error);
  if (access((is_device ? path : folder).c_str(), W_OK) != 0) return std::strerror(errno);
  return "";
}

/// The argument that reads the regular file `path`, or "".
std::string input_at(const fs::path& path, const FileArguments& inputs) {
  std::error_code error;
  if (!fs::is_regular_file(path, error)) return "";
  for (const auto& [argument, input] : inputs) {
    if (fs::equivalent(path, input, error) && !error) return argument;
  }
  return "";
}

}  // namespace

void check_output_paths(const FileArguments& outputs, const FileArguments& inputs) {
  std::vector<Problem> problems;
  std::map<fs::path, std::string> taken;
  for (const auto& [argument, path] : outputs) {
    const std::string reason = obstacle(path);
    if (const std::string input = input_at(path, inputs); !input.empty()) {
      problems.push_back({argument, path, "the file that " + input + " reads", "a file of its own",
                          "give another name: the input would be lost"});
    }
    if (!reason.empty()) {
      problems.push_back(
          {argument, path, reason, "a file that can be written", "check the folder and its permissions"});
    }
    std::error_code error;
    const fs::path file = fs::weakly_canonical(path, error);
    const auto [other, is_new] = taken.emplace(file, argument);
    const bool is_device = fs::exists(file, error) && !fs::is_regular_file(file, error);
    if (!is_new && !is_device) {
      problems.push_back(
          {argument, path, "the file of " + other->second, "a file of its own", "give another name"});
    }
  }
  if (!problems.empty()) throw InputError(std::move(problems));
}

FileArguments with_shipped_files(const FileArguments& inputs, const ShippedFiles& files) {
  FileArguments all = inputs;
  for (const auto& [argument, name] : inputs) {
    for (const auto* folders : {&files.hardware, &files.preprocess, &files.workloads}) {
      for (const std::string& folder : *folders) {
        for (const std::string& extension : workload_extensions())
          all.emplace_back(argument, folder + "/" + name + extension);
      }
    }
  }
  return all;
}

void write_standard_output(std::string_view text) {
  const bool written =
      std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  if (!written) {
    throw InputError({"standard output", "", std::strerror(errno), "a stream that takes the report",
                      "free space, or send it to a file on another disk"});
  }
}

}  // namespace qsim::cli
