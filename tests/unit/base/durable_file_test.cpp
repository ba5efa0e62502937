// A disk that fails, by a filter on system calls in a child process: what is written has to be on the disk
// before it gets its name, and the name before the writer returns.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <cerrno>
#include <cstddef>
#include <fstream>
#include <functional>
#include <iterator>

#include "base/atomic_file.h"
#include "base/error.h"
#include "tests/unit/base/scratch_folder.h"

namespace {

constexpr int kWritten = 10;
constexpr int kRefused = 11;
constexpr int kNoFilter = 12;

/// From here on system call `number` fails in this process with EIO.
bool fail_call(long number) {
  std::array<sock_filter, 4> program{
      sock_filter{BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
      sock_filter{BPF_JMP | BPF_JEQ | BPF_K, 0, 1, static_cast<std::uint32_t>(number)},
      sock_filter{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | EIO},
      sock_filter{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
  };
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

/// What becomes of `write` in a process whose system call `number` fails; the error has to say `words`.
int outcome(long number, const std::string& words, const std::function<void()>& write) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (!fail_call(number)) ::_exit(kNoFilter);
    try {
      write();
    } catch (const qsim::InputError& error) {
      ::_exit(std::string(error.what()).find(words) != std::string::npos ? kRefused : 1);
    }
    ::_exit(kWritten);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

std::string content_of(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

void write_in_pieces(const std::string& path) {
  qsim::AtomicFile file(path);
  file.write("ne");
  file.write("w");
  file.place();
}

void write_several(const std::string& path) {
  const std::vector<qsim::FileContent> files{{path, {std::byte{'n'}, std::byte{'e'}, std::byte{'w'}}}};
  qsim::write_files_atomically(files);
}

}  // namespace

TEST_CASE("content that does not reach the disk gets no name, and the old file stays") {
  const ScratchFolder folder;
  const std::string path = folder.path("file");
  const bool exists = GENERATE(true, false);
  if (exists) qsim::write_file_atomically(path, "old");
  const auto write = GENERATE(values<void (*)(const std::string&)>(
      {[](const std::string& p) { qsim::write_file_atomically(p, "new"); }, write_in_pieces, write_several}));
  CHECK(outcome(SYS_fdatasync, "flushing failed: Input/output error", [&] { write(path); }) == kRefused);
  CHECK(content_of(path) == (exists ? "old" : ""));
  CHECK(std::filesystem::exists(path) == exists);
}

TEST_CASE("a name that does not reach the disk is an error, though the file is there") {
  const ScratchFolder folder;
  const std::string path = folder.path("file");
  const bool exists = GENERATE(true, false);
  if (exists) qsim::write_file_atomically(path, "old");
  const auto write = GENERATE(values<void (*)(const std::string&)>(
      {[](const std::string& p) { qsim::write_file_atomically(p, "new"); }, write_in_pieces}));
  CHECK(outcome(SYS_fsync, "flushing its folder failed: Input/output error", [&] { write(path); }) ==
        kRefused);
  CHECK(content_of(path) == "new");
}

TEST_CASE("a device is not flushed") {
  CHECK(outcome(SYS_fdatasync, "", [] { qsim::write_file_atomically("/dev/null", "x"); }) == kWritten);
  CHECK(outcome(SYS_fsync, "", [] { qsim::write_file_atomically("/dev/null", "x"); }) == kWritten);
}
