// Result files that are either whole or not there.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace qsim {

/// Writes `content` to a file that has no name yet and then gives it the name `path`: a reader sees the old
/// file or the new one, and a failure leaves the old one alone. A program that is ended in between, by
/// whatever signal, leaves nothing behind; where a file is replaced, or the file system knows no files
/// without a name, there is a temporary name for a while, during which SIGINT, SIGTERM, SIGHUP and SIGQUIT
/// wait in the calling thread (other threads have to be joined or block them). What has been written is on
/// the disk before it gets the name, and the name when this returns: a loss of power leaves the old file or
/// the new one too. A target that exists and is not a regular file ("/dev/null", a pipe) is written directly.
/// A symbolic link keeps being one; the file that it names is replaced. Throws InputError when anything
/// fails.
void write_file_atomically(const std::string& path, std::span<const std::byte> content);
void write_file_atomically(const std::string& path, std::string_view content);

/// A file and what is to be in it.
struct FileContent {
  std::string path;
  std::vector<std::byte> bytes;
};

/// Writes all of them before the first gets its name: a failure leaves no new file behind, and the old ones
/// alone as long as none has been replaced.
void write_files_atomically(std::span<const FileContent> files);

/// The same in pieces, for content that is too large for memory. Until place() there is no file of its name,
/// and a program that ends before leaves nothing behind; a device or pipe is written at once. All of its
/// functions throw InputError when writing fails.
class AtomicFile {
 public:
  explicit AtomicFile(const std::string& path);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  void write(std::string_view content);
  void place();

 private:
  class Spool;
  std::unique_ptr<Spool> spool_;
};

}  // namespace qsim
