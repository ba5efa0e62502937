#include "base/atomic_file.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <csignal>
#include <fstream>
#include <iterator>

#include "base/error.h"
#include "tests/unit/base/scratch_folder.h"

namespace fs = std::filesystem;

namespace {

std::string content_of(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::ptrdiff_t files_in(const std::string& folder) {
  return std::distance(fs::directory_iterator(folder), fs::directory_iterator());
}

}  // namespace

TEST_CASE("a file is created, and replaced as a whole") {
  const ScratchFolder folder;
  const std::string path = folder.path("report.json");
  qsim::write_file_atomically(path, std::string(100'000, 'x'));
  CHECK(content_of(path).size() == 100'000);
  qsim::write_file_atomically(path, "short");
  CHECK(content_of(path) == "short");
  CHECK(files_in(folder.path("")) == 1);
}

TEST_CASE("an empty content makes an empty file") {
  const ScratchFolder folder;
  qsim::write_file_atomically(folder.path("empty"), "");
  CHECK(fs::file_size(folder.path("empty")) == 0);
}

TEST_CASE("a target that cannot be written is an error that names it and leaves nothing behind") {
  const ScratchFolder folder;
  fs::create_directory(folder.path("sub"));
  for (const std::string& path : {folder.path("no/such/folder.json"), folder.path("sub"), std::string()}) {
    CAPTURE(path);
    try {
      qsim::write_file_atomically(path, "x");
      FAIL("no error");
    } catch (const qsim::InputError& error) {
      REQUIRE(error.problems().size() == 1);
      CHECK(error.problems()[0].file == path);
      CHECK_FALSE(error.problems()[0].hint.empty());
    }
  }
  CHECK(files_in(folder.path("")) == 1);
}

TEST_CASE("a full device is an error") {
  if (!fs::exists("/dev/full")) return;
  CHECK_THROWS_AS(qsim::write_file_atomically("/dev/full", "x"), qsim::InputError);
}

TEST_CASE("a device is written directly and stays a device") {
  qsim::write_file_atomically("/dev/null", "gone");
  CHECK(fs::is_character_file("/dev/null"));
}

TEST_CASE("a symbolic link stays a link and its file is replaced") {
  const ScratchFolder folder;
  qsim::write_file_atomically(folder.path("file"), "old");
  fs::create_symlink("file", folder.path("link"));
  qsim::write_file_atomically(folder.path("link"), "new");
  CHECK(fs::is_symlink(folder.path("link")));
  CHECK(content_of(folder.path("file")) == "new");
}

TEST_CASE("a replaced file keeps its permissions") {
  const ScratchFolder folder;
  const std::string path = folder.path("file");
  qsim::write_file_atomically(path, "old");
  fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write | fs::perms::group_read);
  qsim::write_file_atomically(path, "new");
  CHECK(fs::status(path).permissions() ==
        (fs::perms::owner_read | fs::perms::owner_write | fs::perms::group_read));
}

namespace {

/// A child process that writes the file over and over and is ended at once by SIGTERM, as the program is.
/// Returns when it has written it for the first time.
pid_t start_writer(const std::string& path, const std::string& content, bool remove_first) {
  std::array<int, 2> pipe{};
  REQUIRE(::pipe(pipe.data()) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    std::signal(SIGTERM, [](int) { ::_exit(0); });
    for (bool first = true;; first = false) {
      if (remove_first) ::unlink(path.c_str());
      qsim::write_file_atomically(path, content);
      if (first && ::write(pipe[1], "", 1) != 1) ::_exit(1);
      ::usleep(1'000);  // The whole file is there for a while too.
    }
  }
  ::close(pipe[1]);
  char byte = 0;
  CHECK(::read(pipe[0], &byte, 1) == 1);
  ::close(pipe[0]);
  return child;
}

}  // namespace

TEST_CASE("a program that is ended at any moment leaves the whole file or none, and no other") {
  const ScratchFolder folder;
  const std::string path = folder.path("file");
  const bool creates = GENERATE(true, false);
  const std::string content(3'000'000, 'x');
  int found = 0;
  for (int moment = 0; moment < 60; ++moment) {
    const pid_t child = start_writer(path, content, creates);
    REQUIRE(child > 0);
    ::usleep(static_cast<useconds_t>(500 + 331 * moment));
    ::kill(child, SIGTERM);
    int status = 0;
    ::waitpid(child, &status, 0);
    CHECK(files_in(folder.path("")) <= 1);
    if (!fs::exists(path)) continue;
    CHECK(fs::file_size(path) == content.size());
    ++found;
  }
  CHECK(found > 0);
}

TEST_CASE("a file above the size limit is an error and leaves the old one alone") {
  const ScratchFolder folder;
  const std::string path = folder.path("file");
  qsim::write_file_atomically(path, "old");
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit limit{1'000, 1'000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    std::signal(SIGXFSZ, SIG_IGN);
    try {
      qsim::write_file_atomically(path, std::string(2'000, 'x'));
    } catch (const qsim::InputError& error) {
      ::_exit(error.problems()[0].value.find("File too large") == std::string::npos ? 2 : 3);
    }
    ::_exit(1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(WEXITSTATUS(status) == 3);
  CHECK(content_of(path) == "old");
  CHECK(files_in(folder.path("")) == 1);
}

TEST_CASE("of several files none is written where one cannot be") {
  const ScratchFolder folder;
  const std::vector<std::byte> content(3, std::byte{7});
  qsim::write_file_atomically(folder.path("old"), "old");
  fs::create_directory(folder.path("folder"));
  const std::vector<qsim::FileContent> files{
      {folder.path("old"), content}, {folder.path("new"), content}, {folder.path("folder"), content}};
  CHECK_THROWS_AS(qsim::write_files_atomically(files), qsim::InputError);
  CHECK(content_of(folder.path("old")) == "old");
  CHECK_FALSE(fs::exists(folder.path("new")));
  CHECK(std::distance(fs::directory_iterator(folder.path("")), fs::directory_iterator()) == 2);

  qsim::write_files_atomically(std::span(files).first(2));
  CHECK(content_of(folder.path("old")) == "\a\a\a");
  CHECK(content_of(folder.path("new")) == "\a\a\a");
}

TEST_CASE("a device among the files is written after the others wait") {
  if (!fs::exists("/dev/full")) return;
  const ScratchFolder folder;
  const std::vector<std::byte> content(3, std::byte{7});
  const std::vector<qsim::FileContent> files{{folder.path("new"), content}, {"/dev/full", content}};
  CHECK_THROWS_AS(qsim::write_files_atomically(files), qsim::InputError);
  CHECK_FALSE(fs::exists(folder.path("new")));
}

TEST_CASE("a file in pieces has its name only at the end, and none where the writer gives up") {
  const ScratchFolder folder;
  const std::string path = folder.path("waves.vcd");
  {
    qsim::AtomicFile file(path);
    file.write("half");
  }
  CHECK(files_in(folder.path("")) == 0);
  qsim::AtomicFile file(path);
  file.write("one ");
  CHECK(files_in(folder.path("")) == 0);
  file.write("two");
  file.place();
  CHECK(content_of(path) == "one two");
  qsim::AtomicFile next(path);
  next.write("three");
  CHECK(content_of(path) == "one two");
  next.place();
  CHECK(content_of(path) == "three");
  CHECK(files_in(folder.path("")) == 1);
}

TEST_CASE("a device is written at once, and a full one is an error") {
  qsim::AtomicFile file("/dev/full");
  CHECK_THROWS_AS(file.write("x"), qsim::InputError);
  CHECK_THROWS_AS(qsim::AtomicFile("/no/such/folder/file"), qsim::InputError);
}
