#include "workloads/readers/workload_format.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "base/read_file.h"
#include "workloads/readers/json/json_workload.h"
#include "workloads/readers/onnx/onnx_reader.h"
#include "workloads/readers/scalesim/scalesim_reader.h"
#include "workloads/readers/tflite/tflite_reader.h"

namespace qsim {
namespace {

/// Largest file of any format; the readers have smaller limits of their own.
constexpr std::int64_t kMaxWorkloadBytes = std::int64_t{1} << 31;

/// "a workload in JSON, a .onnx model or ..."
std::string all_phrases() {
  std::string text;
  const auto formats = workload_formats();
  for (std::size_t i = 0; i < formats.size(); ++i) {
    if (i > 0) text += i + 1 < formats.size() ? ", " : " or ";
    text += formats[i]->phrase;
  }
  return text;
}

}  // namespace

std::span<const WorkloadFormat* const> workload_formats() {
  static const std::array<const WorkloadFormat*, 4> formats{&json_workload_format(), &onnx_workload_format(),
                                                            &tflite_workload_format(),
                                                            &scalesim_workload_format()};
  return formats;
}

const WorkloadFormat& workload_format(const std::string& path) {
  static_cast<void>(checked_file_size(path, {all_phrases(), kMaxWorkloadBytes}));
  std::ifstream stream(path, std::ios::binary);
  std::array<char, 64> start{};
  stream.read(start.data(), start.size());
  const std::string_view content(start.data(), static_cast<std::size_t>(stream.gcount()));
  for (const WorkloadFormat* format : workload_formats()) {
    if (format->begins_as != nullptr && format->begins_as(content)) return *format;
  }
  std::string extension = std::filesystem::path(path).extension().string();
  std::ranges::transform(extension, extension.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const WorkloadFormat* format : workload_formats()) {
    if (extension == format->extension) return *format;
  }
  throw InputError(Problem{
      path, {}, "a file of another format", all_phrases(), "docs/workload_format.md describes the JSON"});
}

std::vector<std::string> workload_extensions() {
  std::vector<std::string> extensions;
  for (const WorkloadFormat* format : workload_formats()) extensions.emplace_back(format->extension);
  return extensions;
}

std::string workload_format_names() {
  std::string names;
  for (const WorkloadFormat* format : workload_formats())
    names.append(names.empty() ? "" : ", ").append(format->short_name);
  return names;
}

}  // namespace qsim
