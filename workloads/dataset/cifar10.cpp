#include "workloads/dataset/cifar10.h"

#include <algorithm>
#include <filesystem>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/json_reader.h"
#include "base/random_access_file.h"

namespace qsim {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kSide = 32;
constexpr std::int64_t kPlaneBytes = kSide * kSide;
constexpr std::int64_t kRecordBytes = 1 + 3 * kPlaneBytes;
constexpr std::int64_t kLabelCount = 10;

struct Batch {
  RandomAccessFile file;
  std::vector<std::uint8_t> labels;

  [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(labels.size()); }
};

class Cifar10 : public Dataset {
 public:
  explicit Cifar10(std::vector<Batch> batches) : batches_(std::move(batches)) {
    for (const Batch& batch : batches_) size_ += batch.size();
  }

  [[nodiscard]] std::int64_t size() const override { return size_; }
  [[nodiscard]] std::int64_t label_count() const override { return kLabelCount; }
  [[nodiscard]] std::int64_t label(std::int64_t index) const override {
    const auto [batch, record] = find(index);
    return batch->labels[static_cast<std::size_t>(record)];
  }
  [[nodiscard]] std::string name(std::int64_t index) const override {
    const auto [batch, record] = find(index);
    return fs::path(batch->file.path()).filename().string() + "#" + std::to_string(record);
  }
  [[nodiscard]] Image image(std::int64_t index) const override {
    const auto [batch, record] = find(index);
    std::vector<std::uint8_t> planes(3 * kPlaneBytes);
    batch->file.read(record * kRecordBytes + 1, planes);
    Image image(kSide, kSide, 3);
    for (std::size_t pixel = 0; pixel < kPlaneBytes; ++pixel) {
      for (std::size_t c = 0; c < 3; ++c) image.pixels[3 * pixel + c] = planes[c * kPlaneBytes + pixel];
    }
    return image;
  }

 private:
  /// The batch that holds image `index`, and the record in it.
  [[nodiscard]] std::pair<const Batch*, std::int64_t> find(std::int64_t index) const {
    const Batch* batch = batches_.data();
    while (index >= batch->size()) index -= (batch++)->size();
    return {batch, index};
  }

  std::vector<Batch> batches_;
  std::int64_t size_ = 0;
};

std::vector<std::uint8_t> read_labels(const RandomAccessFile& file) {
  std::vector<std::uint8_t> labels(static_cast<std::size_t>(file.size_bytes() / kRecordBytes));
  ProblemList problems(file.path());
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const std::int64_t offset = static_cast<std::int64_t>(i) * kRecordBytes;
    file.read(offset, {&labels[i], 1});
    if (labels[i] >= kLabelCount) {
      problems.add("record " + std::to_string(i) + ", byte " + std::to_string(offset),
                   "label " + std::to_string(labels[i]), "a label from 0 to 9",
                   "is it CIFAR-10's binary format?");
    }
  }
  problems.throw_if_any();
  return labels;
}

Batch open_batch(const std::string& path) {
  RandomAccessFile file(path, "a file in CIFAR-10's binary format");
  const std::int64_t bytes = file.size_bytes();
  if (bytes == 0 || bytes % kRecordBytes != 0) {
    throw InputError(Problem{path,
                             {},
                             std::to_string(bytes) + " bytes",
                             "a multiple of 3073 bytes (a label and 3 planes of 32x32), at least one record",
                             "the file is cut off, or not CIFAR-10's binary format"});
  }
  if (bytes / kRecordBytes > kMaxDatasetImages) {
    throw InputError(Problem{path,
                             {},
                             std::to_string(bytes / kRecordBytes) + " records",
                             "at most " + std::to_string(kMaxDatasetImages),
                             "cut the file in several"});
  }
  std::vector<std::uint8_t> labels = read_labels(file);
  return {std::move(file), std::move(labels)};
}

/// test_batch*.bin of a folder, by name.
std::vector<std::string> test_batches(const std::string& folder) {
  std::vector<std::string> tests;
  std::string others;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (entry.path().extension() != ".bin") continue;
    if (name.rfind("test_batch", 0) == 0) {
      tests.push_back(entry.path().string());
    } else {
      others += (others.empty() ? "" : ", ") + name;
    }
  }
  if (error) {
    throw InputError(Problem{folder, {}, error.message(), "a folder that can be listed", "check the path"});
  }
  if (tests.empty()) {
    throw InputError(Problem{folder,
                             {},
                             others.empty() ? "no .bin file" : others,
                             "CIFAR-10's test_batch*.bin",
                             "name the file: cifar10:FILE.bin"});
  }
  std::sort(tests.begin(), tests.end());
  return tests;
}

}  // namespace

std::unique_ptr<Dataset> open_cifar10(const std::string& path) {
  std::error_code error;
  const std::vector<std::string> files =
      fs::is_directory(path, error) ? test_batches(path) : std::vector<std::string>{path};
  std::vector<Batch> batches;
  batches.reserve(files.size());
  for (const std::string& file : files) batches.push_back(open_batch(file));
  return std::make_unique<Cifar10>(std::move(batches));
}

}  // namespace qsim
