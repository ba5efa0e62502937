#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>

#include "base/error.h"
#include "base/json_reader.h"
#include "workloads/dataset/preprocess.h"

namespace qsim {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr std::int64_t kMaxFileBytes = 1 << 20;
constexpr std::size_t kMaxSteps = 16;
constexpr std::int64_t kMaxSide = 65'535;

// JSON spellings, in the order of the enumerators.
const std::vector<std::string> kChannelNames = {"stored", "RGB", "BGR", "grey"};
const std::vector<std::string> kInterpolationNames = {"nearest", "bilinear", "bicubic", "lanczos"};
const std::vector<std::string> kStepNames = {"resize_shorter_side", "resize", "center_crop",
                                             "center_crop_fraction"};

Interpolation read_interpolation(JsonObject& step) {
  return static_cast<Interpolation>(step.choice("interpolation", kInterpolationNames));
}

struct Size {
  std::int64_t height = 1, width = 1;
};

Size read_size(JsonObject& step, const std::string& key) {
  const std::vector<std::int64_t> size = step.integers(key, 1, kMaxSide);
  if (size.size() == 2) return {size[0], size[1]};
  const Json* written = step.raw(key);
  const bool complete = written->is_array() && size.size() == written->size();
  if (complete) step.problem(key, "two integers, [height, width]");
  return {};
}

PreprocessStep read_one_step(JsonObject& step, const std::string& operation) {
  if (operation == "resize_shorter_side") {
    const std::int64_t side = step.integer(operation, 1, kMaxSide);
    return ResizeShorterSide{side, read_interpolation(step)};
  }
  if (operation == "resize") {
    const Size size = read_size(step, operation);
    return ResizeTo{size.height, size.width, read_interpolation(step)};
  }
  if (operation == "center_crop") {
    const Size size = read_size(step, operation);
    return CenterCrop{size.height, size.width};
  }
  return CenterCropFraction{step.number(operation, 1e-6, 1.0)};
}

/// Nothing where it is unclear which step is meant.
std::optional<PreprocessStep> read_step(const Json& json, const std::string& place, ProblemList& problems) {
  JsonObject step(json, place, problems);
  std::vector<std::string> operations;
  for (const std::string& name : kStepNames) {
    if (step.has(name)) operations.push_back(name);
  }
  if (json.is_object() && operations.size() != 1) {
    std::string listed;
    for (const std::string& name : kStepNames) listed += (listed.empty() ? "" : ", ") + name;
    problems.add(place, operations.empty() ? "none of them" : operations[0] + " and " + operations[1],
                 "exactly one of " + listed, "make it one step each");
  }
  if (operations.size() != 1) return std::nullopt;
  const PreprocessStep read = read_one_step(step, operations[0]);
  step.finish();
  return read;
}

std::vector<PreprocessStep> read_steps(JsonObject& root, ProblemList& problems) {
  std::vector<PreprocessStep> steps;
  const Json* list = root.raw("steps");
  if (list == nullptr) return steps;
  if (!list->is_array() || list->size() > kMaxSteps) {
    root.problem("steps", "a list of at most " + std::to_string(kMaxSteps) + " steps");
    return steps;
  }
  for (std::size_t i = 0; i < list->size(); ++i) {
    const std::optional<PreprocessStep> step =
        read_step((*list)[i], "steps[" + std::to_string(i) + "]", problems);
    if (step) steps.push_back(*step);
  }
  return steps;
}

/// A number for all channels, or a list of one or three.
std::vector<float> read_per_channel(JsonObject& root, const std::string& key, double min, double max,
                                    double fallback, ProblemList& problems) {
  const Json* written = root.raw(key);
  if (written == nullptr || !written->is_array()) {
    return {static_cast<float>(root.number(key, min, max, fallback))};
  }
  if (written->size() != 1 && written->size() != 3) {
    root.problem(key, "a number, or a list of one or three");
  }
  std::vector<float> values;
  for (std::size_t i = 0; i < std::min<std::size_t>(written->size(), 3); ++i) {
    // An entry reads like a member of an object, so that ranges and messages are the same.
    const std::string place = key + "[" + std::to_string(i) + "]";
    const Json entry{{place, (*written)[i]}};
    values.push_back(static_cast<float>(JsonObject(entry, "", problems).number(place, min, max)));
  }
  return values;
}

void check_channel_counts(const Preprocess& preprocess, JsonObject& root) {
  if (preprocess.channels != ImageChannels::grey) return;
  if (preprocess.mean.size() == 3) root.problem("mean", R"(one number, as "channels" is "grey")");
  if (preprocess.std.size() == 3) root.problem("std", R"(one number, as "channels" is "grey")");
}

Preprocess read_preprocess_json(const std::string& path) {
  const Json json = parse_json_file(path, kMaxFileBytes);
  ProblemList problems(path, "docs/datasets.md describes every key");
  JsonObject root(json, "", problems);
  Preprocess preprocess;
  (void)root.string("$schema", "");
  (void)root.string("description", "");
  preprocess.channels = static_cast<ImageChannels>(root.choice("channels", kChannelNames, "stored"));
  preprocess.steps = read_steps(root, problems);
  preprocess.unit_scale = root.boolean("unit_scale", false);
  preprocess.mean = read_per_channel(root, "mean", -1e6, 1e6, 0.0, problems);
  preprocess.std = read_per_channel(root, "std", 1e-6, 1e6, 1.0, problems);
  check_channel_counts(preprocess, root);
  root.finish();
  problems.throw_if_any();
  return preprocess;
}

/// Names that ship, sorted.
std::vector<std::string> shipped_names(const std::vector<std::string>& search_dirs) {
  std::set<std::string> names;
  for (const std::string& folder : search_dirs) {
    std::error_code error;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
      if (entry.path().extension() == ".json") names.insert(entry.path().stem().string());
    }
  }
  return {names.begin(), names.end()};
}

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

std::string find_preprocess(const std::string& name_or_path, const std::vector<std::string>& search_dirs) {
  const auto is_file = [](const fs::path& path) {
    std::error_code error;
    return fs::exists(path, error) && !fs::is_directory(path, error);
  };
  if (is_file(name_or_path)) return name_or_path;
  const bool plain_name = !name_or_path.empty() && fs::path(name_or_path).filename() == name_or_path;
  for (const std::string& folder : search_dirs) {
    for (const char* extension : {"", ".json"}) {
      const fs::path candidate = fs::path(folder) / (name_or_path + extension);
      if (plain_name && is_file(candidate)) return candidate.string();
    }
  }
  const std::vector<std::string> names = shipped_names(search_dirs);
  const std::string nearest = nearest_name(fs::path(name_or_path).stem().string(), names);
  throw InputError(
      Problem{"--preprocess",
              {},
              '"' + name_or_path + '"',
              names.empty() ? "a file that exists" : "a file that exists, or one of " + listed(names),
              nearest.empty() ? "check the path" : "did you mean " + nearest + "?"});
}

}  // namespace

Preprocess read_preprocess(const std::string& name_or_path, const std::vector<std::string>& search_dirs) {
  Preprocess preprocess = read_preprocess_json(find_preprocess(name_or_path, search_dirs));
  preprocess.name = name_or_path;
  preprocess.remedy = "change the steps of " + name_or_path + ", or give another --preprocess";
  return preprocess;
}

Preprocess no_preprocess(const std::vector<std::string>& search_dirs) {
  Preprocess preprocess;
  const std::vector<std::string> names = shipped_names(search_dirs);
  preprocess.remedy = "say with --preprocess FILE how to make it fit";
  if (!names.empty()) preprocess.remedy += "; these ship: " + listed(names);
  return preprocess;
}

}  // namespace qsim
