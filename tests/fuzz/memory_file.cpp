#include "tests/fuzz/memory_file.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>

MemoryFile::MemoryFile(std::span<const std::uint8_t> content)
    : descriptor_(::memfd_create("input", MFD_CLOEXEC)) {
  while (descriptor_ >= 0 && !content.empty()) {
    const ssize_t written = ::write(descriptor_, content.data(), content.size());
    if (written <= 0) std::abort();
    content = content.subspan(static_cast<std::size_t>(written));
  }
  if (descriptor_ < 0) std::abort();
}

MemoryFile::~MemoryFile() {
  ::close(descriptor_);
}
