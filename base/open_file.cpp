#include "base/open_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/error.h"

namespace qsim {
namespace {

FileKind kind_of(const struct stat& status) {
  if (S_ISREG(status.st_mode)) return FileKind::regular;
  if (S_ISDIR(status.st_mode)) return FileKind::folder;
  return S_ISFIFO(status.st_mode) ? FileKind::pipe : FileKind::other;
}

}  // namespace

OpenFile::OpenFile(std::string path, const std::string& expected) : path_(std::move(path)) {
  if (path_.find('\0') != std::string::npos)
    throw InputError(Problem{path_, {}, "a name with a NUL in it", expected, "check the path"});
  // O_NONBLOCK: opening a pipe that nobody writes to would wait for ever; for regular files it means nothing.
  descriptor_ = ::open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
  struct stat status {};
  if (descriptor_ < 0 || ::fstat(descriptor_, &status) != 0) {
    const std::string reason = std::strerror(errno);
    if (descriptor_ >= 0) ::close(descriptor_);
    throw InputError(Problem{path_, {}, reason, expected, "check the path and its permissions"});
  }
  kind_ = kind_of(status);
  size_bytes_ = status.st_size;
}

OpenFile::OpenFile(OpenFile&& other) noexcept
    : path_(std::move(other.path_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      kind_(other.kind_),
      size_bytes_(other.size_bytes_) {}

OpenFile::~OpenFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

std::int64_t OpenFile::size_bytes(const std::string& expected) const {
  if (kind_ == FileKind::folder)
    throw InputError(Problem{path_, {}, "a folder", expected, "give the path of a file"});
  if (kind_ != FileKind::regular) {
    const char* found = kind_ == FileKind::pipe ? "a pipe" : "a device or socket";
    throw InputError(Problem{path_, {}, found, expected, "save the content to a regular file"});
  }
  return size_bytes_;
}

}  // namespace qsim
