#include "base/random_access_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/error.h"

namespace qsim {

RandomAccessFile::RandomAccessFile(const std::string& path, const std::string& expected) : path_(path) {
  // O_NONBLOCK: opening a pipe that nobody writes to would wait for ever; for regular files it means nothing.
  descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  struct stat status {};
  if (descriptor_ < 0 || ::fstat(descriptor_, &status) != 0) {
    const std::string reason = std::strerror(errno);
    if (descriptor_ >= 0) ::close(descriptor_);
    throw InputError(Problem{path, {}, reason, expected + " that can be read", "check the path"});
  }
  if (!S_ISREG(status.st_mode)) {
    ::close(descriptor_);
    const char* found = S_ISDIR(status.st_mode) ? "a folder" : "a pipe or device";
    throw InputError(Problem{path, {}, found, expected, "give a regular file"});
  }
  size_bytes_ = status.st_size;
}

RandomAccessFile::RandomAccessFile(RandomAccessFile&& other) noexcept
    : path_(std::move(other.path_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      size_bytes_(other.size_bytes_) {}

RandomAccessFile::~RandomAccessFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void RandomAccessFile::read(std::int64_t offset, std::span<std::uint8_t> bytes) const {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t got = ::pread(descriptor_, &bytes[done], bytes.size() - done,
                                static_cast<off_t>(offset) + static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      throw InputError(Problem{path_, "byte " + std::to_string(offset + static_cast<std::int64_t>(done)),
                               got < 0 ? std::strerror(errno) : "the end of the file",
                               std::to_string(bytes.size() - done) + " more bytes",
                               "did the file change while it was read?"});
    }
    done += static_cast<std::size_t>(got);
  }
}

std::vector<std::uint8_t> RandomAccessFile::read_all(std::int64_t max_bytes) const {
  if (size_bytes_ > max_bytes) {
    throw InputError(Problem{path_,
                             {},
                             std::to_string(size_bytes_) + " bytes",
                             "a file of at most " + std::to_string(max_bytes) + " bytes",
                             "is it the right file?"});
  }
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(size_bytes_));
  read(0, bytes);
  return bytes;
}

}  // namespace qsim
