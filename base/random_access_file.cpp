#include "base/random_access_file.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"

namespace qsim {

RandomAccessFile::RandomAccessFile(const std::string& path, const std::string& expected)
    : file_(path, expected + " that can be read"), size_bytes_(file_.size_bytes(expected)) {}

void RandomAccessFile::read(std::int64_t offset, std::span<std::uint8_t> bytes) const {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t got = ::pread(file_.descriptor(), &bytes[done], bytes.size() - done,
                                static_cast<off_t>(offset) + static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      throw InputError(Problem{path(), "byte " + std::to_string(offset + static_cast<std::int64_t>(done)),
                               got < 0 ? std::strerror(errno) : "the end of the file",
                               std::to_string(bytes.size() - done) + " more bytes",
                               "did the file change while it was read?"});
    }
    done += static_cast<std::size_t>(got);
  }
}

std::vector<std::uint8_t> RandomAccessFile::read_all(std::int64_t max_bytes) const {
  if (size_bytes_ > max_bytes) {
    throw InputError(Problem{path(),
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
