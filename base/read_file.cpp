#include "base/read_file.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/error.h"

namespace qsim {
namespace {

[[noreturn]] void refuse(const std::string& path, const FileUse& use, std::string found, std::string hint) {
  throw InputError(Problem{path, {}, std::move(found), use.expected, std::move(hint)});
}

/// An open descriptor. Opening does not wait: a pipe without a writer reads as empty.
class InputFile {
 public:
  InputFile(const std::string& path, const FileUse& use) : path_(path), use_(use) {
    if (path.find('\0') != std::string::npos) refuse(path, use, "a name with a NUL in it", "check the path");
    descriptor_ = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (descriptor_ < 0 || ::fstat(descriptor_, &status_) != 0) fail(errno);
  }
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;
  ~InputFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  [[nodiscard]] bool is_pipe() const { return S_ISFIFO(status_.st_mode); }

  /// Size of a regular file; everything else is refused.
  [[nodiscard]] std::int64_t size() const {
    if (S_ISDIR(status_.st_mode)) refuse(path_, use_, "a folder", "give the path of a file");
    if (!S_ISREG(status_.st_mode)) {
      refuse(path_, use_, is_pipe() ? "a pipe" : "a device or socket", "save the content to a regular file");
    }
    const std::int64_t bytes = status_.st_size;
    if (bytes == 0) refuse(path_, use_, "an empty file", "was it written as a whole?");
    if (bytes > use_.max_bytes) refuse_size(std::to_string(bytes) + " bytes");
    return bytes;
  }

  /// The next bytes; 0 at the end.
  std::size_t read(std::byte* out, std::size_t count) const {
    while (true) {
      const ssize_t got = ::read(descriptor_, out, count);
      if (got >= 0) return static_cast<std::size_t>(got);
      if (errno == EAGAIN) {
        pollfd waiting{descriptor_, POLLIN, 0};
        ::poll(&waiting, 1, -1);
      } else if (errno != EINTR) {
        fail(errno);
      }
    }
  }

  [[noreturn]] void refuse_size(const std::string& found) const {
    throw InputError(Problem{
        path_, {}, found, "at most " + std::to_string(use_.max_bytes) + " bytes", use_.too_large_hint});
  }

 private:
  [[noreturn]] void fail(int error) const {
    refuse(path_, use_, std::strerror(error), "check the path and its permissions");
  }

  const std::string& path_;
  const FileUse& use_;
  int descriptor_ = -1;
  struct stat status_ {};
};

std::vector<std::byte> read_pipe(const InputFile& file, const std::string& path, const FileUse& use) {
  constexpr std::size_t kBlock = std::size_t{1} << 16;
  std::vector<std::byte> bytes;
  while (true) {
    const std::size_t before = bytes.size();
    bytes.resize(before + kBlock);
    const std::size_t got = file.read(bytes.data() + before, kBlock);
    bytes.resize(before + got);
    if (static_cast<std::int64_t>(bytes.size()) > use.max_bytes) file.refuse_size("a pipe with more");
    if (got == 0) break;
  }
  if (bytes.empty()) refuse(path, use, "an empty pipe", "does something write to it?");
  return bytes;
}

}  // namespace

std::int64_t checked_file_size(const std::string& path, const FileUse& use) {
  return InputFile(path, use).size();
}

std::vector<std::byte> read_file(const std::string& path, const FileUse& use) {
  const InputFile file(path, use);
  if (file.is_pipe()) return read_pipe(file, path, use);
  std::vector<std::byte> bytes(static_cast<std::size_t>(file.size()));
  std::size_t done = 0;
  while (done < bytes.size()) {
    const std::size_t got = file.read(bytes.data() + done, bytes.size() - done);
    if (got == 0) refuse(path, use, "a file that became shorter while it was read", "read it again");
    done += got;
  }
  return bytes;
}

bool is_file(const std::string& path) {
  struct stat status {};
  return !path.empty() && path.find('\0') == std::string::npos && ::stat(path.c_str(), &status) == 0 &&
         !S_ISDIR(status.st_mode);
}

}  // namespace qsim
