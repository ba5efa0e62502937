// A regular file that is read at given offsets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/open_file.h"

namespace qsim {

/// Opened once; reading changes no position, so that threads and forked processes may share it. Folders,
/// pipes and devices are refused: their size says nothing.
class RandomAccessFile {
 public:
  /// Throws InputError when `path` is no regular file that can be read; `expected` says what should be there
  /// ("a CIFAR-10 file").
  RandomAccessFile(const std::string& path, const std::string& expected);
  [[nodiscard]] const std::string& path() const { return file_.path(); }
  [[nodiscard]] std::int64_t size_bytes() const { return size_bytes_; }
  /// Fills `bytes` from `offset`; a failing disk, or a file that has shrunk since, is an InputError.
  void read(std::int64_t offset, std::span<std::uint8_t> bytes) const;
  /// The whole file; more than `max_bytes` is an InputError before anything is allocated.
  [[nodiscard]] std::vector<std::uint8_t> read_all(std::int64_t max_bytes) const;

 private:
  OpenFile file_;
  std::int64_t size_bytes_;
};

}  // namespace qsim
