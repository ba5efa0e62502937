#include "workloads/dataset/idx.h"

#include <algorithm>
#include <array>
#include <boost/endian/conversion.hpp>
#include <filesystem>
#include <optional>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/random_access_file.h"
#include "workloads/dataset/gzip.h"

namespace qsim {
namespace {

namespace fs = std::filesystem;

constexpr std::uint8_t kUnsignedBytes = 0x08;

/// One IDX file: its dimensions, and bytes read where they are wanted.
class IdxFile {
 public:
  /// `dimensions` is how many there must be; `what` names the content: "images".
  IdxFile(const std::string& path, std::size_t dimensions, const char* what)
      : file_(path, std::string("an IDX file of ") + what) {
    is_gzip_ = is_gzip(file_);
    if (is_gzip_) content_ = gunzip(file_, kMaxGunzippedBytes);
    read_header(dimensions, what);
  }

  [[nodiscard]] const std::string& path() const { return file_.path(); }
  [[nodiscard]] std::int64_t dimension(std::size_t index) const { return dimensions_[index]; }

  /// Elements from index `begin` on.
  [[nodiscard]] std::vector<std::uint8_t> elements(std::int64_t begin, std::int64_t count) const {
    std::vector<std::uint8_t> bytes(static_cast<std::size_t>(count));
    read(header_bytes() + begin, bytes);
    return bytes;
  }

 private:
  [[nodiscard]] std::int64_t header_bytes() const {
    return 4 + 4 * static_cast<std::int64_t>(dimensions_.size());
  }
  [[nodiscard]] std::int64_t size_bytes() const {
    return is_gzip_ ? static_cast<std::int64_t>(content_.size()) : file_.size_bytes();
  }

  /// The caller has checked that the bytes are there.
  void read(std::int64_t offset, std::span<std::uint8_t> bytes) const {
    if (is_gzip_) {
      std::copy_n(content_.begin() + offset, bytes.size(), bytes.begin());
    } else {
      file_.read(offset, bytes);
    }
  }

  [[noreturn]] void fail(std::string place, std::string value, std::string expected) const {
    throw InputError(Problem{path(), std::move(place), std::move(value), std::move(expected),
                             "is it an IDX file of MNIST's kind, complete?"});
  }

  void read_header(std::size_t dimensions, const char* what) {
    dimensions_.resize(dimensions);
    std::vector<std::uint8_t> header(static_cast<std::size_t>(std::min(size_bytes(), header_bytes())));
    read(0, header);
    const std::array<int, 4> expected{0, 0, kUnsignedBytes, static_cast<int>(dimensions)};
    if (header.size() >= 4 && !std::equal(expected.begin(), expected.end(), header.begin())) {
      const auto text = [](auto bytes) {
        std::string list;
        for (std::size_t i = 0; i < 4; ++i) list += (i > 0 ? " " : "") + std::to_string(int{bytes[i]});
        return list;
      };
      fail("bytes 0 to 3", text(header),
           text(expected) + " (unsigned bytes, " + std::to_string(dimensions) + " dimensions: " + what + ")");
    }
    if (size_bytes() < header_bytes()) {
      fail("", std::to_string(size_bytes()) + " bytes", "a header of " + std::to_string(header_bytes()));
    }
    for (std::size_t i = 0; i < dimensions; ++i)
      dimensions_[i] = boost::endian::load_big_u32(&header[4 + 4 * i]);
    check_dimensions();
  }

  void check_dimensions() const {
    if (dimensions_[0] < 1 || dimensions_[0] > kMaxDatasetImages) {
      fail("bytes 4 to 7", std::to_string(dimensions_[0]) + " entries",
           "from 1 to " + std::to_string(kMaxDatasetImages));
    }
    std::int64_t entry_bytes =
        1;  // at most 2^27 after the check, so that the product with the count is below 2^52
    if (dimensions_.size() == 3) {
      if (dimensions_[1] < 1 || dimensions_[2] < 1 || dimensions_[1] > kMaxImagePixels / dimensions_[2]) {
        fail("bytes 8 to 15",
             std::to_string(dimensions_[2]) + "x" + std::to_string(dimensions_[1]) + " pixels",
             "from 1 to " + std::to_string(kMaxImagePixels) + " pixels an image");
      }
      entry_bytes = dimensions_[1] * dimensions_[2];
    }
    const std::int64_t expected = header_bytes() + dimensions_[0] * entry_bytes;
    if (size_bytes() != expected) {
      fail("", std::to_string(size_bytes()) + " bytes" + (is_gzip_ ? " when decompressed" : ""),
           std::to_string(expected) + " bytes, as its dimensions say");
    }
  }

  RandomAccessFile file_;
  bool is_gzip_ = false;
  std::vector<std::uint8_t> content_;  ///< Of a gzip file.
  std::vector<std::int64_t> dimensions_;
};

class IdxDataset : public Dataset {
 public:
  IdxDataset(IdxFile images, std::vector<std::uint8_t> labels)
      : images_(std::move(images)), labels_(std::move(labels)) {}

  [[nodiscard]] std::int64_t size() const override { return images_.dimension(0); }
  [[nodiscard]] std::int64_t label_count() const override {
    return std::int64_t{1} + *std::max_element(labels_.begin(), labels_.end());
  }
  [[nodiscard]] std::int64_t label(std::int64_t index) const override {
    return labels_[static_cast<std::size_t>(index)];
  }
  [[nodiscard]] std::string name(std::int64_t index) const override {
    return fs::path(images_.path()).filename().string() + "#" + std::to_string(index);
  }
  [[nodiscard]] Image image(std::int64_t index) const override {
    Image image;
    image.height = images_.dimension(1);
    image.width = images_.dimension(2);
    image.channels = 1;
    const std::int64_t bytes = image.width * image.height;
    image.pixels = images_.elements(index * bytes, bytes);
    return image;
  }

 private:
  IdxFile images_;
  std::vector<std::uint8_t> labels_;
};

bool is_there(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}

/// `path`, or what it is with or without .gz, whichever is there.
std::optional<std::string> with_or_without_gz(const std::string& path) {
  if (is_there(path)) return path;
  const std::string other =
      fs::path(path).extension() == ".gz" ? path.substr(0, path.size() - 3) : path + ".gz";
  return is_there(other) ? std::optional(other) : std::nullopt;
}

/// "t10k-labels-idx1-ubyte" for "t10k-images-idx3-ubyte".
std::string labels_beside(const std::string& images) {
  const fs::path path(images);
  std::string name = path.filename().string();
  const std::size_t word = name.find("images");
  const std::size_t rank = name.find("idx3");
  if (word != std::string::npos && rank != std::string::npos) {
    name.replace(rank, 4, "idx1").replace(word, 6, "labels");
    if (const auto found = with_or_without_gz((path.parent_path() / name).string())) return *found;
  }
  throw InputError(Problem{images,
                           {},
                           "no file of labels beside it",
                           word == std::string::npos ? "a name like t10k-images-idx3-ubyte" : name,
                           "name the labels: idx:IMAGES,labels=FILE"});
}

}  // namespace

std::unique_ptr<Dataset> open_idx(const std::string& images, const std::string& labels) {
  IdxFile image_file(images, 3, "images");
  const IdxFile label_file(labels.empty() ? labels_beside(images) : labels, 1, "labels");
  if (label_file.dimension(0) != image_file.dimension(0)) {
    throw InputError(Problem{label_file.path(),
                             {},
                             std::to_string(label_file.dimension(0)) + " labels",
                             std::to_string(image_file.dimension(0)) + ", as many as images in " + images,
                             "are the two files of one data set?"});
  }
  std::vector<std::uint8_t> values = label_file.elements(0, label_file.dimension(0));
  return std::make_unique<IdxDataset>(std::move(image_file), std::move(values));
}

std::unique_ptr<Dataset> open_idx_folder(const std::string& folder, const std::string& split) {
  const std::string prefix = split == "test" ? "t10k" : "train";
  for (const char* ending : {"-images-idx3-ubyte", "-images.idx3-ubyte"}) {
    const auto found = with_or_without_gz((fs::path(folder) / (prefix + ending)).string());
    if (found) return open_idx(*found, "");
  }
  throw InputError(Problem{folder,
                           {},
                           "no such file",
                           prefix + "-images-idx3-ubyte, plain or .gz",
                           "name the files: idx:IMAGES,labels=FILE"});
}

}  // namespace qsim
