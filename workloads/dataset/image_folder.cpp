#include "workloads/dataset/image_folder.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/csv.h"
#include "base/error.h"
#include "base/json_reader.h"
#include "base/random_access_file.h"
#include "workloads/dataset/decode_image.h"

namespace qsim {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kMaxLabelsFileBytes = std::int64_t{1} << 30;

struct Entry {
  std::string file;
  std::int64_t label = 0;
};

class ImageFolder : public Dataset {
 public:
  ImageFolder(std::string folder, std::vector<Entry> entries)
      : folder_(std::move(folder)), entries_(std::move(entries)) {
    for (const Entry& entry : entries_) label_count_ = std::max(label_count_, entry.label + 1);
  }

  [[nodiscard]] std::int64_t size() const override { return static_cast<std::int64_t>(entries_.size()); }
  [[nodiscard]] std::int64_t label_count() const override { return label_count_; }
  [[nodiscard]] std::int64_t label(std::int64_t index) const override { return entry(index).label; }
  [[nodiscard]] std::string name(std::int64_t index) const override { return entry(index).file; }
  [[nodiscard]] Image image(std::int64_t index) const override {
    const std::string path = (fs::path(folder_) / entry(index).file).string();
    const RandomAccessFile file(path, "a JPEG or a PNG");
    return decode_image(file.read_all(kMaxImageFileBytes), path);
  }

 private:
  [[nodiscard]] const Entry& entry(std::int64_t index) const {
    return entries_[static_cast<std::size_t>(index)];
  }

  std::string folder_;
  std::vector<Entry> entries_;
  std::int64_t label_count_ = 0;
};

std::string quoted(const std::string& text) {
  constexpr std::size_t kLongest = 100;
  return '"' + (text.size() > kLongest ? text.substr(0, kLongest) + "..." : text) + '"';
}

std::string line_of(const CsvReader::Record& record) {
  return "line " + std::to_string(record.line);
}

/// Reads one labels file; problems are collected, rows with problems left out.
class LabelsReader {
 public:
  LabelsReader(const std::string& folder, const std::string& labels) : folder_(folder), problems_(labels) {
    const RandomAccessFile file(labels, "a CSV file with the columns file and label");
    const std::vector<std::uint8_t> bytes = file.read_all(kMaxLabelsFileBytes);
    text_.assign(bytes.begin(), bytes.end());
  }

  std::vector<Entry> read() {
    CsvReader csv(text_);
    CsvReader::Record record;
    if (!csv.next(record)) problems_.add("line 1", "an empty file", "the header file,label", kFormatHint);
    if (!record.fields.empty()) read_header(record);
    problems_.throw_if_any();
    while (csv.next(record)) {
      if (const std::optional<Entry> entry = read_row(record)) entries_.push_back(*entry);
    }
    problems_.throw_if_any();
    if (entries_.empty()) problems_.add(line_of(record), "no image", "a row an image", kFormatHint);
    if (static_cast<std::int64_t>(entries_.size()) > kMaxDatasetImages) {
      problems_.add("", std::to_string(entries_.size()) + " images",
                    "at most " + std::to_string(kMaxDatasetImages), "cut the file in several");
    }
    problems_.throw_if_any();
    return std::move(entries_);
  }

 private:
  static constexpr const char* kFormatHint = "docs/datasets.md has an example";

  void read_header(const CsvReader::Record& header) {
    if (!header.error.empty()) problems_.add("line 1", header.error, "a header", kFormatHint);
    for (const auto& [name, column] :
         {std::pair{"file", &file_column_}, std::pair{"label", &label_column_}}) {
      const auto& fields = header.fields;
      const auto found = std::find(fields.begin(), fields.end(), name);
      *column = static_cast<std::size_t>(found - fields.begin());
      const auto count = std::count(fields.begin(), fields.end(), name);
      if (count == 1) continue;
      problems_.add("line 1", std::to_string(count) + " columns named " + name,
                    std::string("one, in a header like file,label"), kFormatHint);
    }
    columns_ = header.fields.size();
  }

  std::optional<Entry> read_row(const CsvReader::Record& record) {
    const std::string place = line_of(record);
    if (!record.error.empty()) {
      problems_.add(place, record.error, "quotes around the whole field, those inside doubled", kFormatHint);
      return std::nullopt;
    }
    if (record.fields.size() != columns_) {
      problems_.add(place, std::to_string(record.fields.size()) + " fields",
                    std::to_string(columns_) + ", as the header has", "quote a field that holds a comma");
      return std::nullopt;
    }
    const std::optional<std::int64_t> label = read_label(record.fields[label_column_], place);
    const std::string& file = record.fields[file_column_];
    if (!check_file(file, record.line) || !label) return std::nullopt;
    return Entry{file, *label};
  }

  std::optional<std::int64_t> read_label(const std::string& text, const std::string& place) {
    std::int64_t label = -1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), label);
    const bool whole = error == std::errc() && end == text.data() + text.size();
    if (whole && label >= 0 && label < kMaxLabels) return label;
    problems_.add(place, "label " + quoted(text), "an integer from 0 to " + std::to_string(kMaxLabels - 1),
                  "number the classes from 0");
    return std::nullopt;
  }

  bool check_file(const std::string& file, std::int64_t line) {
    const std::string place = "line " + std::to_string(line);
    const fs::path path(file);
    const bool has_control =
        std::any_of(file.begin(), file.end(), [](unsigned char c) { return c < ' ' || c == 0x7F; });
    if (file.empty() || has_control || path.is_absolute() ||
        std::find(path.begin(), path.end(), "..") != path.end()) {
      problems_.add(place, has_control ? "a file name with control characters" : "file " + quoted(file),
                    "a path below " + folder_ + ", without ..", "move the image into the folder");
      return false;
    }
    const auto [first, is_new] = lines_.emplace(path.lexically_normal().string(), line);
    if (!is_new) {
      problems_.add(place, "file " + quoted(file) + " again", "each file once",
                    "it is in line " + std::to_string(first->second));
      return false;
    }
    std::error_code error;
    if (fs::is_regular_file(fs::path(folder_) / path, error)) return true;
    problems_.add(place, "file " + quoted(file), "a file in " + folder_, "it is not there; check the name");
    return false;
  }

  const std::string& folder_;
  ProblemList problems_;
  std::string text_;
  std::size_t columns_ = 0, file_column_ = 0, label_column_ = 0;
  std::vector<Entry> entries_;
  std::unordered_map<std::string, std::int64_t> lines_;  ///< Where each file was first.
};

}  // namespace

std::unique_ptr<Dataset> open_image_folder(const std::string& folder, const std::string& labels) {
  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    throw InputError(Problem{folder,
                             {},
                             error ? error.message() : "no folder",
                             "a folder of images with a labels.csv",
                             "check the path"});
  }
  return std::make_unique<ImageFolder>(folder, LabelsReader(folder, labels).read());
}

}  // namespace qsim
