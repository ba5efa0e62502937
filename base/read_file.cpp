#include "base/read_file.h"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "base/open_file.h"

namespace qsim {
namespace {

[[noreturn]] void refuse(const std::string& path, const FileUse& use, std::string found, std::string hint) {
  throw InputError(Problem{path, {}, std::move(found), use.expected, std::move(hint)});
}

[[noreturn]] void refuse_size(const std::string& path, const FileUse& use, const std::string& found) {
  throw InputError(
      Problem{path, {}, found, "at most " + std::to_string(use.max_bytes) + " bytes", use.too_large_hint});
}

/// Size of a regular file that is neither empty nor too large.
std::int64_t size_within(const OpenFile& file, const FileUse& use) {
  const std::int64_t bytes = file.size_bytes(use.expected);
  if (bytes == 0) refuse(file.path(), use, "an empty file", "was it written as a whole?");
  if (bytes > use.max_bytes) refuse_size(file.path(), use, std::to_string(bytes) + " bytes");
  return bytes;
}

/// The next bytes; 0 at the end.
std::size_t read_some(const OpenFile& file, const FileUse& use, std::byte* out, std::size_t count) {
  while (true) {
    const ssize_t got = ::read(file.descriptor(), out, count);
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno == EAGAIN) {
      pollfd waiting{file.descriptor(), POLLIN, 0};
      ::poll(&waiting, 1, -1);
    } else if (errno != EINTR) {
      refuse(file.path(), use, std::strerror(errno), "check the path and its permissions");
    }
  }
}

std::vector<std::byte> read_pipe(const OpenFile& file, const FileUse& use) {
  constexpr std::size_t kBlock = std::size_t{1} << 16;
  std::vector<std::byte> bytes;
  while (true) {
    const std::size_t before = bytes.size();
    bytes.resize(before + kBlock);
    const std::size_t got = read_some(file, use, bytes.data() + before, kBlock);
    bytes.resize(before + got);
    if (static_cast<std::int64_t>(bytes.size()) > use.max_bytes)
      refuse_size(file.path(), use, "a pipe with more");
    if (got == 0) break;
  }
  if (bytes.empty()) refuse(file.path(), use, "an empty pipe", "does something write to it?");
  return bytes;
}

}  // namespace

std::int64_t checked_file_size(const std::string& path, const FileUse& use) {
  return size_within(OpenFile(path, use.expected), use);
}

std::vector<std::byte> read_file(const std::string& path, const FileUse& use) {
  const OpenFile file(path, use.expected);
  if (file.kind() == FileKind::pipe) return read_pipe(file, use);
  std::vector<std::byte> bytes(static_cast<std::size_t>(size_within(file, use)));
  std::size_t done = 0;
  while (done < bytes.size()) {
    const std::size_t got = read_some(file, use, bytes.data() + done, bytes.size() - done);
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
