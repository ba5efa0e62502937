// An input of the fuzzer as a file that lies in memory alone: the readers take paths.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

class MemoryFile {
 public:
  explicit MemoryFile(std::span<const std::uint8_t> content);
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  ~MemoryFile();

  [[nodiscard]] std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  int descriptor_;
};
