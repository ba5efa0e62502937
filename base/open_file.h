// An open file of a user, and the one place that tells what kind of file it is.
#pragma once

#include <cstdint>
#include <string>

namespace qsim {

enum class FileKind { regular, folder, pipe, other };

/// A descriptor that is open for reading. Opening never waits: a pipe without a writer reads as empty.
class OpenFile {
 public:
  /// Throws InputError where `path` cannot be opened; `expected` says what should be there ("a JSON file that
  /// can be read").
  OpenFile(std::string path, const std::string& expected);
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  OpenFile(OpenFile&& other) noexcept;
  OpenFile& operator=(OpenFile&&) = delete;
  ~OpenFile();

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] int descriptor() const { return descriptor_; }
  [[nodiscard]] FileKind kind() const { return kind_; }
  /// Size of a regular file. Throws InputError for a folder, a pipe or a device: their size says nothing.
  [[nodiscard]] std::int64_t size_bytes(const std::string& expected) const;

 private:
  std::string path_;
  int descriptor_ = -1;
  FileKind kind_ = FileKind::other;
  std::int64_t size_bytes_ = 0;
};

}  // namespace qsim
