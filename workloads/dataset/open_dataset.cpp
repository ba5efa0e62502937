#include <algorithm>
#include <cctype>
#include <filesystem>
#include <map>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/json_reader.h"
#include "workloads/dataset/cifar10.h"
#include "workloads/dataset/dataset.h"
#include "workloads/dataset/idx.h"
#include "workloads/dataset/image_folder.h"

namespace qsim {
namespace {

struct Spec {
  std::string format;
  std::string path;
  std::map<std::string, std::string> options;
};

struct Format {
  std::string name;
  std::string usage;
  std::vector<std::string> options;
  std::unique_ptr<Dataset> (*open)(const Spec&);
};

[[noreturn]] void fail(const std::string& value, std::string expected, std::string hint) {
  throw InputError(Problem{"--data", {}, '"' + value + '"', std::move(expected), std::move(hint)});
}

std::string option_or(const Spec& spec, const std::string& name, const std::string& fallback) {
  const auto found = spec.options.find(name);
  return found == spec.options.end() ? fallback : found->second;
}

bool is_folder(const std::string& path) {
  std::error_code error;
  return std::filesystem::is_directory(path, error);
}

std::unique_ptr<Dataset> open_cifar10_spec(const Spec& spec) {
  return open_cifar10(spec.path);
}

std::unique_ptr<Dataset> open_images_spec(const Spec& spec) {
  const std::string beside = (std::filesystem::path(spec.path) / "labels.csv").string();
  return open_image_folder(spec.path, option_or(spec, "labels", beside));
}

std::unique_ptr<Dataset> open_idx_spec(const Spec& spec) {
  const std::string split = option_or(spec, "split", "");
  const std::string labels = option_or(spec, "labels", "");
  if (!is_folder(spec.path)) {
    if (!split.empty()) fail("split=" + split, "a folder before split=", "idx:FOLDER,split=test");
    return open_idx(spec.path, labels);
  }
  if (!labels.empty()) fail("labels=" + labels, "a file of images before labels=", "idx:IMAGES,labels=FILE");
  if (split != "test" && split != "train" && !split.empty()) {
    fail("split=" + split, "split=test or split=train", "without it the test images are read");
  }
  return open_idx_folder(spec.path, split.empty() ? "test" : split);
}

const std::vector<Format>& formats() {
  static const std::vector<Format> known{
      {"cifar10", "cifar10:FILE_OR_FOLDER", {}, open_cifar10_spec},
      {"images", "images:FOLDER[,labels=FILE.csv]", {"labels"}, open_images_spec},
      {"idx",
       "idx:FOLDER[,split=test|train] or idx:IMAGES[,labels=FILE]",
       {"labels", "split"},
       open_idx_spec},
  };
  return known;
}

std::string all_usages() {
  std::string text;
  for (const Format& format : formats()) text += (text.empty() ? "" : ", ") + format.usage;
  return text;
}

const Format& find_format(const Spec& spec, const std::string& text) {
  std::vector<std::string> names;
  for (const Format& format : formats()) {
    if (format.name == spec.format) return format;
    names.push_back(format.name);
  }
  const std::string nearest = nearest_name(spec.format, names);
  fail(text, "FORMAT:PATH, one of " + all_usages(),
       nearest.empty() ? "begin with the format's name and a colon" : "did you mean " + nearest + ":?");
}

/// "labels" of "labels=FILE"; empty where the piece is no option but a part of a path with a comma.
std::string option_name(const std::string& piece) {
  std::size_t end = 0;
  while (end < piece.size() && std::isalpha(static_cast<unsigned char>(piece[end])) != 0) ++end;
  return end < piece.size() && piece[end] == '=' ? piece.substr(0, end) : "";
}

Spec parse_spec(const std::string& text) {
  Spec spec;
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos) return spec;
  spec.format = text.substr(0, colon);
  std::size_t begin = colon + 1;
  while (begin <= text.size()) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string piece = text.substr(begin, end - begin);
    const std::string option = begin == colon + 1 ? "" : option_name(piece);
    if (option.empty()) {
      spec.path += (begin == colon + 1 ? "" : ",") + piece;
    } else if (!spec.options.emplace(option, piece.substr(option.size() + 1)).second) {
      fail(text, "each option once", "drop one " + option + "=");
    }
    begin = end + 1;
  }
  return spec;
}

void check_options(const Format& format, const Spec& spec, const std::string& text) {
  for (const auto& [name, value] : spec.options) {
    const bool known = std::find(format.options.begin(), format.options.end(), name) != format.options.end();
    if (!known) fail(text, format.usage, "there is no option " + name + "=");
    if (value.empty()) fail(text, format.usage, "give " + name + "= a value");
  }
}

}  // namespace

std::unique_ptr<Dataset> open_dataset(const std::string& text) {
  const Spec spec = parse_spec(text);
  const Format& format = find_format(spec, text);
  if (spec.path.empty()) fail(text, format.usage, "name a path behind the colon");
  check_options(format, spec, text);
  return format.open(spec);
}

}  // namespace qsim
