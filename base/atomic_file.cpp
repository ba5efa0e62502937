#include "base/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <list>
#include <optional>
#include <utility>

#include "base/error.h"

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

/// Holds back the signals that end a program, in this thread, while a temporary file has a name: they are
/// delivered afterwards. Faults and SIGKILL are not held back.
class EndingSignalsBlocked {
 public:
  EndingSignalsBlocked() {
    sigset_t ending;
    sigemptyset(&ending);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) sigaddset(&ending, signal);
    ::pthread_sigmask(SIG_BLOCK, &ending, &before_);
  }
  EndingSignalsBlocked(const EndingSignalsBlocked&) = delete;
  EndingSignalsBlocked& operator=(const EndingSignalsBlocked&) = delete;
  ~EndingSignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

/// Pipes and some file systems have nothing that could be waited for.
bool has_no_flushing(int error) {
  return error == EINVAL || error == ENOTSUP || error == EROFS;
}

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  [[nodiscard]] int get() const { return number_; }
  [[nodiscard]] bool is_open() const { return number_ >= 0; }

  void write(const std::string& path, std::span<const std::byte> content) const {
    while (!content.empty()) {
      const ssize_t written = ::write(number_, content.data(), content.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) fail(path, "writing failed", written < 0 ? errno : ENOSPC);
      content = content.subspan(static_cast<std::size_t>(written));
    }
  }
  /// Waits until the content is on the disk: a name must never lead to less after a loss of power.
  void flush(const std::string& path) const {
    if (::fdatasync(number_) != 0 && !has_no_flushing(errno)) fail(path, "flushing failed", errno);
  }
  /// Some file systems tell only now that there was no space.
  void close(const std::string& path) {
    if (::close(std::exchange(number_, -1)) != 0) fail(path, "closing failed", errno);
  }

 private:
  int number_;
};

/// A name that is removed again unless it was kept.
class TemporaryName {
 public:
  explicit TemporaryName(std::string name) : name_(std::move(name)) {}
  TemporaryName(const TemporaryName&) = delete;
  TemporaryName& operator=(const TemporaryName&) = delete;
  ~TemporaryName() {
    if (!kept_) ::unlink(name_.c_str());
  }
  /// Gives the file its final name.
  void rename_to(const std::string& target, const std::string& path) {
    if (std::rename(name_.c_str(), target.c_str()) != 0) fail(path, "renaming failed", errno);
    kept_ = true;
  }

 private:
  std::string name_;
  bool kept_ = false;
};

/// Calls `create` with "TARGET.tmp.PID.N", N = 0, 1, .. until it makes a file; the name that it made, or
/// nothing (and errno) where it fails.
template <typename Create>
std::optional<std::string> take_temporary_name(const std::string& target, const Create& create) {
  for (int number = 0;; ++number) {
    std::string name = target + ".tmp." + std::to_string(::getpid()) + "." + std::to_string(number);
    if (create(name)) return name;
    if (errno != EEXIST && errno != EINTR) return std::nullopt;
  }
}

/// What is to be written where.
struct Output {
  const std::string& path;  ///< As given, for messages.
  std::string target;       ///< The same with symbolic links followed.
  bool exists = false;
  mode_t mode = 0666;  ///< Of a file that exists already.
};

void set_mode(const Output& output, int descriptor) {
  if (output.exists && ::fchmod(descriptor, output.mode) != 0)
    fail(output.path, "setting its mode failed", errno);
}

std::string folder_of(const Output& output) {
  const std::filesystem::path folder = std::filesystem::path(output.target).parent_path();
  return folder.empty() ? "." : folder.string();
}

/// A file without a name, which is gone when the program ends before it gets one.
Descriptor open_unnamed(const Output& output) {
  return Descriptor(::open(folder_of(output).c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0666));
}

/// Waits until the file's new name is on the disk. A folder that may be written to but not read cannot be
/// waited for.
void flush_folder(const Output& output) {
  const Descriptor folder(::open(folder_of(output).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.is_open()) return;
  if (::fsync(folder.get()) != 0 && !has_no_flushing(errno))
    fail(output.path, "flushing its folder failed", errno);
}

/// Gives an unnamed file its name; false where the system cannot.
bool link_unnamed(const Output& output, int descriptor) {
  const std::string source = "/proc/self/fd/" + std::to_string(descriptor);
  const auto link_to = [&](const std::string& name) {
    return ::linkat(AT_FDCWD, source.c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) == 0;
  };
  if (!output.exists && link_to(output.target)) return true;
  if (!output.exists && errno != EEXIST) return false;
  // linkat replaces nothing: the file gets a name beside the target and is renamed.
  const EndingSignalsBlocked blocked;
  const std::optional<std::string> taken = take_temporary_name(output.target, link_to);
  if (!taken) return false;
  TemporaryName name(*taken);
  name.rename_to(output.target, output.path);
  return true;
}

/// Creates a file beside the target and opens it; its name.
std::string open_named(const Output& output, int& descriptor) {
  const std::optional<std::string> taken =
      take_temporary_name(output.target, [&](const std::string& candidate) {
        descriptor = ::open(candidate.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        return descriptor >= 0;
      });
  if (!taken) fail(output.path, "cannot create a file beside it", errno);
  return *taken;
}

/// For file systems that have no unnamed files. `fill` writes the content.
template <typename Fill>
void write_named(const Output& output, const Fill& fill) {
  const EndingSignalsBlocked blocked;
  int descriptor = -1;
  TemporaryName name(open_named(output, descriptor));
  Descriptor file(descriptor);
  set_mode(output, file.get());
  fill(file);
  file.flush(output.path);
  file.close(output.path);
  name.rename_to(output.target, output.path);
}

/// Devices and pipes: there is nothing to replace.
Descriptor open_device(const std::string& path) {
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY));
  if (!file.is_open()) fail(path, "opening failed", errno);
  return file;
}

void write_directly(const std::string& path, std::span<const std::byte> content) {
  Descriptor file = open_device(path);
  file.write(path, content);
  file.close(path);
}

/// Finds out what `output.path` is so far; true where it is a device or pipe.
bool inspect(Output& output) {
  const std::string& path = output.path;
  if (path.empty()) fail(path, "the file name is empty", ENOENT);
  struct stat status {};
  output.exists = ::stat(path.c_str(), &status) == 0;
  if (!output.exists) return false;
  if (S_ISDIR(status.st_mode)) fail(path, "cannot replace a folder", EISDIR);
  if (!S_ISREG(status.st_mode)) return true;
  if (::access(path.c_str(), W_OK) != 0) fail(path, "the file is write-protected", errno);
  output.mode = status.st_mode & 07777;
  std::error_code error;
  const std::filesystem::path resolved = std::filesystem::canonical(path, error);
  if (!error) output.target = resolved.string();
  return false;
}

/// Content that is written, as far as the file system allows, and waits to get its name.
class PendingFile {
 public:
  /// `content` must outlive it.
  PendingFile(const std::string& path, std::span<const std::byte> content)
      : path_(path), content_(content), output_{path_, path_} {
    is_device_ = inspect(output_);
    if (is_device_) return;
    Descriptor file = open_unnamed(output_);
    if (!file.is_open()) return;
    set_mode(output_, file.get());
    file.write(path_, content_);
    file.flush(path_);
    unnamed_.emplace(std::move(file));
  }
  PendingFile(const PendingFile&) = delete;
  PendingFile& operator=(const PendingFile&) = delete;

  void place() {
    if (is_device_) return write_directly(path_, content_);
    const bool linked = unnamed_ && link_unnamed(output_, unnamed_->get());
    if (!linked) write_named(output_, [&](const Descriptor& file) { file.write(path_, content_); });
    flush_folder(output_);
  }
  /// Removes a file that was not there before place().
  void take_back() const {
    if (!output_.exists) ::unlink(output_.target.c_str());
  }

 private:
  std::string path_;
  std::span<const std::byte> content_;
  Output output_;
  bool is_device_ = false;
  std::optional<Descriptor> unnamed_;
};

}  // namespace

/// Keeps the content in a file without a name. Where the file system has none, in one that lost its name at
/// once, which is copied at the end.
class AtomicFile::Spool {
 public:
  explicit Spool(const std::string& path)
      : path_(path), output_{path_, path_}, is_device_(inspect(output_)), file_(open()) {}

  void write(std::string_view content) { file_.write(path_, std::as_bytes(std::span(content))); }

  void place() {
    if (is_device_) return file_.close(path_);
    if (!has_lost_name_) file_.flush(path_);
    if (has_lost_name_ || !link_unnamed(output_, file_.get())) {
      if (::lseek(file_.get(), 0, SEEK_SET) != 0) fail(path_, "reading it back failed", errno);
      write_named(output_, [&](const Descriptor& target) { copy_to(target); });
    }
    flush_folder(output_);
  }

 private:
  Descriptor open() {
    if (is_device_) return open_device(path_);
    Descriptor unnamed = open_unnamed(output_);
    if (unnamed.is_open()) {
      set_mode(output_, unnamed.get());
      return unnamed;
    }
    has_lost_name_ = true;
    const EndingSignalsBlocked blocked;
    int descriptor = -1;
    const TemporaryName name(open_named(output_, descriptor));
    return Descriptor(descriptor);
  }

  void copy_to(const Descriptor& target) const {
    std::vector<std::byte> piece(std::size_t{1} << 20);
    while (true) {
      const ssize_t bytes = ::read(file_.get(), piece.data(), piece.size());
      if (bytes < 0 && errno == EINTR) continue;
      if (bytes < 0) fail(path_, "reading it back failed", errno);
      if (bytes == 0) return;
      target.write(path_, std::span(piece).first(static_cast<std::size_t>(bytes)));
    }
  }

  std::string path_;
  Output output_;
  bool is_device_;
  bool has_lost_name_ = false;
  Descriptor file_;
};

AtomicFile::AtomicFile(const std::string& path) : spool_(std::make_unique<Spool>(path)) {}

AtomicFile::~AtomicFile() = default;

void AtomicFile::write(std::string_view content) {
  spool_->write(content);
}

void AtomicFile::place() {
  spool_->place();
}

void write_file_atomically(const std::string& path, std::span<const std::byte> content) {
  PendingFile(path, content).place();
}

void write_files_atomically(std::span<const FileContent> files) {
  std::list<PendingFile> pending;
  for (const FileContent& file : files) pending.emplace_back(file.path, file.bytes);
  for (auto file = pending.begin(); file != pending.end(); ++file) {
    try {
      file->place();
    } catch (const InputError&) {
      for (auto placed = pending.begin(); placed != file; ++placed) placed->take_back();
      throw;
    }
  }
}

void write_file_atomically(const std::string& path, std::string_view content) {
  write_file_atomically(path, std::as_bytes(std::span(content.data(), content.size())));
}

}  // namespace qsim
