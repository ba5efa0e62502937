#include "base/read_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <fstream>

#include "base/atomic_file.h"
#include "base/error.h"
#include "tests/unit/base/scratch_folder.h"

namespace {

const qsim::FileUse kUse{"a test file that can be read", 10, "make it smaller"};

template <typename Read>
qsim::Problem problem_of(const Read& read) {
  try {
    (void)read();
  } catch (const qsim::InputError& error) {
    return error.problems()[0];
  }
  return {};
}

std::string text_of(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

TEST_CASE("a file is read whole up to the limit and refused above it, before it is read") {
  const ScratchFolder folder;
  const std::string path = folder.path("file");
  qsim::write_file_atomically(path, "0123456789");
  CHECK(text_of(qsim::read_file(path, kUse)) == "0123456789");
  CHECK(qsim::checked_file_size(path, kUse) == 10);
  qsim::write_file_atomically(path, "0123456789a");
  const qsim::Problem problem = problem_of([&] { return qsim::read_file(path, kUse); });
  CHECK(problem.value == "11 bytes");
  CHECK(problem.expected == "at most 10 bytes");
  CHECK(problem.hint == "make it smaller");
}

TEST_CASE("a file of a thousand gigabytes is refused without allocating it") {
  const ScratchFolder folder;
  std::ofstream(folder.path("huge")).put('x');
  std::filesystem::resize_file(folder.path("huge"), std::uintmax_t{1} << 40);
  CHECK(problem_of([&] { return qsim::read_file(folder.path("huge"), kUse); }).value ==
        "1099511627776 bytes");
}

TEST_CASE("what is no regular file is refused by what it is") {
  const ScratchFolder folder;
  REQUIRE(::mkfifo(folder.path("pipe").c_str(), 0600) == 0);
  qsim::write_file_atomically(folder.path("empty"), "");
  const std::vector<std::pair<std::string, std::string>> cases{
      {folder.path(""), "a folder"},
      {folder.path("pipe"), "a pipe"},
      {folder.path("empty"), "an empty file"},
      {folder.path("none"), "No such file or directory"},
      {folder.path("empty/below"), "Not a directory"},
      {"/dev/zero", "a device or socket"},
      {std::string("/dev/zero\0x", 11), "a name with a NUL in it"},
  };
  for (const auto& [path, found] : cases) {
    const std::string& name = path;
    const qsim::Problem problem = problem_of([&] { return qsim::checked_file_size(name, kUse); });
    CAPTURE(path);
    CHECK(problem.value == found);
    CHECK(problem.expected == kUse.expected);
    CHECK_FALSE(problem.hint.empty());
  }
}

TEST_CASE("a pipe is read to its end") {
  const auto [text, found] = GENERATE(table<std::string, std::string>(
      {{"01234", ""}, {"0123456789", ""}, {"0123456789a", "a pipe with more"}, {"", "an empty pipe"}}));
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  REQUIRE(::write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  ::close(ends[1]);
  const std::string path = "/dev/fd/" + std::to_string(ends[0]);
  if (found.empty()) {
    CHECK(text_of(qsim::read_file(path, kUse)) == text);
  } else {
    CHECK(problem_of([&] { return qsim::read_file(path, kUse); }).value == found);
  }
  ::close(ends[0]);
}

TEST_CASE("a named pipe that nobody writes to is empty, and nothing waits for it") {
  const ScratchFolder folder;
  REQUIRE(::mkfifo(folder.path("pipe").c_str(), 0600) == 0);
  CHECK(problem_of([&] { return qsim::read_file(folder.path("pipe"), kUse); }).value == "an empty pipe");
}

TEST_CASE("only what can be read as a file is one") {
  const ScratchFolder folder;
  qsim::write_file_atomically(folder.path("file"), "x");
  CHECK(qsim::is_file(folder.path("file")));
  CHECK_FALSE(qsim::is_file(folder.path("")));
  CHECK_FALSE(qsim::is_file(folder.path("none")));
  CHECK_FALSE(qsim::is_file(""));
  CHECK_FALSE(qsim::is_file(folder.path("file") + std::string("\0", 1)));
}
