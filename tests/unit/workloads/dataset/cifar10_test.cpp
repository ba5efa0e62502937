#include "workloads/dataset/cifar10.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>

#include "tests/unit/workloads/dataset/dataset_files.h"

using qsim::open_dataset;

namespace {

constexpr std::size_t kRecordBytes = 3073;

/// Record r has label (7 r) mod 10; its byte i has the value (r + 3 i) mod 256.
Bytes records(int count) {
  Bytes bytes;
  for (int r = 0; r < count; ++r) {
    bytes.push_back(static_cast<std::uint8_t>(7 * r % 10));
    for (int i = 0; i < 3072; ++i) bytes.push_back(static_cast<std::uint8_t>(r + 3 * i));
  }
  return bytes;
}

std::vector<qsim::Problem> problems_with(const Bytes& bytes) {
  const ScratchFolder folder;
  const std::string path = write_bytes(folder, "b.bin", bytes);
  return problems_of([&] { (void)open_dataset("cifar10:" + path); });
}

}  // namespace

TEST_CASE("a CIFAR-10 record is a label and the planes red, green, blue") {
  const ScratchFolder folder;
  const auto data = open_dataset("cifar10:" + write_bytes(folder, "b.bin", records(3)));
  CHECK(data->size() == 3);
  CHECK(data->label_count() == 10);
  CHECK(data->label(0) == 0);
  CHECK(data->label(2) == 4);
  CHECK(data->name(2) == "b.bin#2");
  const qsim::Image image = data->image(2);
  CHECK((image.width == 32 && image.height == 32 && image.channels == 3));
  const int row = 5, column = 9;
  for (int c = 0; c < 3; ++c) {
    const int byte = 1024 * c + 32 * row + column;
    CHECK(image.row(row)[3 * column + c] == static_cast<std::uint8_t>(2 + 3 * byte));
  }
}

TEST_CASE("a folder stands for its test batches in the order of their names") {
  const ScratchFolder folder;
  write_bytes(folder, "test_batch_b.bin", records(1));
  write_bytes(folder, "test_batch_a.bin", records(2));
  write_bytes(folder, "data_batch_1.bin", records(5));
  write_text(folder, "test_batch.txt", "no images");
  const auto data = open_dataset("cifar10:" + folder.path(""));
  REQUIRE(data->size() == 3);
  CHECK(data->name(1) == "test_batch_a.bin#1");
  CHECK(data->name(2) == "test_batch_b.bin#0");
  CHECK(data->label(1) == 7);
  CHECK(data->label(2) == 0);
}

TEST_CASE("a folder of training batches only is refused with their names") {
  const ScratchFolder folder;
  write_bytes(folder, "data_batch_1.bin", records(1));
  const auto problems = problems_of([&] { (void)open_dataset("cifar10:" + folder.path("")); });
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].value == "data_batch_1.bin");
  CHECK(problems[0].hint == "name the file: cifar10:FILE.bin");
}

TEST_CASE("a CIFAR-10 file of a wrong size is refused") {
  Bytes bytes = records(2);
  CHECK(problems_with(bytes).empty());
  bytes.pop_back();
  CHECK(problems_with(bytes).at(0).value == "6145 bytes");
  bytes.resize(6147);
  CHECK(problems_with(bytes).at(0).value == "6147 bytes");
  CHECK(problems_with({}).at(0).value == "0 bytes");
}

TEST_CASE("labels above 9 are listed with their place, and the list is capped") {
  Bytes bytes = records(80);
  bytes[4 * kRecordBytes] = 10;
  const auto one = problems_with(bytes);
  REQUIRE(one.size() == 1);
  CHECK(one[0].place == "record 4, byte 12292");
  CHECK(one[0].value == "label 10");
  for (std::size_t r = 0; r < 80; ++r) bytes[r * kRecordBytes] = 255;
  const auto many = problems_with(bytes);
  CHECK(many.size() == qsim::kMostListedProblems);
}

TEST_CASE("a pipe is refused at once") {
  const ScratchFolder folder;
  REQUIRE(::mkfifo(folder.path("pipe").c_str(), 0600) == 0);
  const auto problems = problems_of([&] { (void)open_dataset("cifar10:" + folder.path("pipe")); });
  CHECK(problems.at(0).value == "a pipe");
}

TEST_CASE("a file that has shrunk since it was opened is an error of the image that is gone") {
  const ScratchFolder folder;
  const std::string path = write_bytes(folder, "b.bin", records(2));
  const auto data = open_dataset("cifar10:" + path);
  std::filesystem::resize_file(path, kRecordBytes + 100);
  CHECK(data->image(0).pixels.size() == 3072);
  CHECK(problems_of([&] { (void)data->image(1); }).at(0).place == "byte 3173");
}

TEST_CASE("a specification that says no data set is refused with the formats that there are") {
  const auto problem = [](const std::string& spec) {
    return problems_of([&] { (void)open_dataset(spec); }).at(0);
  };
  CHECK_THAT(problem("images.bin").expected, Catch::Contains("cifar10:FILE_OR_FOLDER"));
  CHECK(problem("cifar:x.bin").hint == "did you mean cifar10:?");
  CHECK(problem("cifar10:").hint == "name a path behind the colon");
  CHECK(problem("cifar10:x.bin,split=test").hint == "there is no option split=");
  CHECK(problem("cifar10:x.bin,split=1,split=2").hint == "drop one split=");
  CHECK(problem("cifar10:a,b.bin").file == "a,b.bin");
  CHECK(problem("").value == "\"\"");
}
