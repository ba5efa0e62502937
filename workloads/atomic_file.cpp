#include "workloads/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "workloads/error.h"

namespace qsim {
namespace {

[[noreturn]] void fail(const std::string& path, const std::string& what, int error) {
  throw InputError(
      Problem{path,
              {},
              what + ": " + std::strerror(error),
              "a file that can be written",
              "check that its folder exists, that it may be written to and that there is space"});
}

/// An open file; closed on destruction, and removed as well unless it was kept.
class OutputFile {
 public:
  OutputFile(std::string path, int descriptor, bool remove_unless_kept)
      : path_(std::move(path)), descriptor_(descriptor), remove_(remove_unless_kept) {}
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  ~OutputFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
    if (remove_) ::unlink(path_.c_str());
  }

  void write(const std::string& target, std::span<const std::byte> content) {
    while (!content.empty()) {
      const ssize_t written = ::write(descriptor_, content.data(), content.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) fail(target, "writing failed", errno);
      content = content.subspan(static_cast<std::size_t>(written));
    }
    const int descriptor = descriptor_;
    descriptor_ = -1;
    if (::close(descriptor) != 0) fail(target, "closing failed", errno);
  }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] int descriptor() const { return descriptor_; }
  void keep() { remove_ = false; }

 private:
  std::string path_;
  int descriptor_;
  bool remove_;
};

/// Creates "TARGET.tmp.PID.N" with the first N that is free.
OutputFile create_temporary(const std::string& path, const std::string& target) {
  for (int number = 0;; ++number) {
    std::string name = target + ".tmp." + std::to_string(::getpid()) + "." + std::to_string(number);
    const int descriptor = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor >= 0) return {std::move(name), descriptor, true};
    if (errno != EEXIST && errno != EINTR) fail(path, "cannot create a file beside it", errno);
  }
}

}  // namespace

void write_file_atomically(const std::string& path, std::span<const std::byte> content) {
  if (path.empty()) fail(path, "the file name is empty", ENOENT);
  struct stat status {};
  const bool exists = ::stat(path.c_str(), &status) == 0;
  if (exists && S_ISDIR(status.st_mode)) fail(path, "cannot replace a folder", EISDIR);
  if (exists && !S_ISREG(status.st_mode)) {
    const int descriptor = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (descriptor < 0) fail(path, "opening failed", errno);
    OutputFile file(path, descriptor, false);
    file.write(path, content);
    return;
  }
  std::string target = path;
  if (exists) {
    if (::access(path.c_str(), W_OK) != 0) fail(path, "the file is write-protected", errno);
    std::error_code error;
    const std::filesystem::path resolved = std::filesystem::canonical(path, error);
    if (!error) target = resolved.string();
  }
  OutputFile file = create_temporary(path, target);
  if (exists && ::fchmod(file.descriptor(), status.st_mode & 07777) != 0)
    fail(path, "setting its mode failed", errno);
  file.write(path, content);
  if (std::rename(file.path().c_str(), target.c_str()) != 0) fail(path, "renaming failed", errno);
  file.keep();
}

void write_file_atomically(const std::string& path, std::string_view content) {
  write_file_atomically(path, std::as_bytes(std::span(content.data(), content.size())));
}

}  // namespace qsim
