#include "workloads/formats/safetensors.h"

#include <catch2/catch.hpp>
#include <stdexcept>

#include "base/atomic_file.h"
#include "base/error.h"
#include "tests/unit/base/scratch_folder.h"

using qsim::ElementType;
using qsim::FileTensor;
using qsim::SafetensorsReader;
using qsim::TensorData;

namespace {

TensorData tensor(ElementType type, const qsim::Shape& shape, const std::vector<std::int64_t>& values) {
  TensorData data(type, shape);
  for (std::size_t i = 0; i < values.size(); ++i) data.set(static_cast<std::int64_t>(i), values[i]);
  return data;
}

/// A file with this header and so many bytes of zeros after it.
std::string write_raw(const ScratchFolder& folder, const std::string& header, std::size_t data_bytes) {
  std::string file;
  for (std::size_t i = 0; i < 8; ++i) file += static_cast<char>((header.size() >> (8 * i)) & 0xFF);
  file += header + std::string(data_bytes, '\0');
  qsim::write_file_atomically(folder.path("raw.safetensors"), file);
  return folder.path("raw.safetensors");
}

}  // namespace

TEST_CASE("tensors and metadata come back as they were written") {
  const ScratchFolder folder;
  const std::vector<FileTensor> tensors{{"a", tensor(ElementType::i8, {2, 2}, {1, -2, 127, -128})},
                                        {"b", tensor(ElementType::i32, {3}, {1 << 30, -7, 0})},
                                        {"scalar", tensor(ElementType::u16, {}, {65535})},
                                        {"empty", TensorData(ElementType::f32, {0, 5})}};
  qsim::write_safetensors(folder.path("t.safetensors"), tensors, {{"bits", "8"}, {"a\"b", "\xc3\xa9"}});
  SafetensorsReader reader(folder.path("t.safetensors"));
  CHECK(reader.metadata() == std::map<std::string, std::string>{{"bits", "8"}, {"a\"b", "\xc3\xa9"}});
  for (const FileTensor& written : tensors) {
    CAPTURE(written.name);
    const TensorData read = reader.read(written.name);
    CHECK(read.type == written.data.type);
    CHECK(read.shape == written.data.shape);
    CHECK(read.bytes == written.data.bytes);
  }
}

TEST_CASE("the bytes of a file follow the format") {
  const std::vector<FileTensor> tensors{{"b", tensor(ElementType::i8, {1}, {-1})},
                                        {"a", tensor(ElementType::i16, {1}, {258})}};
  const std::vector<std::byte> file = qsim::encode_safetensors(tensors, {});
  const std::string header =
      R"({"a":{"dtype":"I16","shape":[1],"data_offsets":[0,2]},"b":{"dtype":"I8","shape":[1],"data_offsets":[2,3]}})";
  const std::size_t padded = (header.size() + 7) / 8 * 8;
  REQUIRE(file.size() == 8 + padded + 3);
  CHECK(static_cast<std::size_t>(file[0]) == padded);
  const std::string text(reinterpret_cast<const char*>(file.data()), file.size());
  CHECK(text.substr(8, padded) == header + std::string(padded - header.size(), ' '));
  CHECK(text.substr(8 + padded) == std::string("\x02\x01\xff"));
}

TEST_CASE("the order in which tensors are given does not change the file") {
  const FileTensor a{"a", tensor(ElementType::i8, {1}, {1})}, b{"b", tensor(ElementType::i32, {1}, {2})};
  const std::vector<FileTensor> ab{a, b}, ba{b, a};
  CHECK(qsim::encode_safetensors(ab, {}) == qsim::encode_safetensors(ba, {}));
}

TEST_CASE("two tensors of one name cannot be written") {
  const std::vector<FileTensor> tensors{{"a", TensorData(ElementType::i8, {1})},
                                        {"a", TensorData(ElementType::i8, {1})}};
  CHECK_THROWS_AS(qsim::encode_safetensors(tensors, {}), std::invalid_argument);
}

TEST_CASE("a header that does not describe the data is refused") {
  const ScratchFolder folder;
  struct Case {
    std::string header;
    std::size_t data_bytes;
  };
  const Case broken = GENERATE(values<Case>({
      {R"({"a":{"dtype":"I8","shape":[4],"data_offsets":[0,4]}})", 3},   // beyond the end
      {R"({"a":{"dtype":"I8","shape":[4],"data_offsets":[0,4]}})", 5},   // a rest
      {R"({"a":{"dtype":"I8","shape":[3],"data_offsets":[0,4]}})", 4},   // shape too small
      {R"({"a":{"dtype":"I16","shape":[3],"data_offsets":[0,3]}})", 3},  // element size
      {R"({"a":{"dtype":"I8","shape":[4],"data_offsets":[4,0]}})", 4},   // backwards
      {R"({"a":{"dtype":"I8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"I8","shape":[2],"data_offsets":[2,4]}})",
       4},
      {R"({"a":{"dtype":"I8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"I8","shape":[1],"data_offsets":[3,4]}})",
       4},
      {R"({"a":{"dtype":"I8","shape":[4294967296,4294967296,4294967296],"data_offsets":[0,0]}})",
       0},  // overflow
      {R"({"a":{"dtype":"I8","shape":[-4],"data_offsets":[0,4]}})", 4},
      {R"({"a":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}})", 4},
      {R"({"a":{"dtype":"I8","shape":[4],"data_offsets":[0,4],"x":1}})", 4},
      {R"({"a":{"dtype":"I8","shape":[4]}})", 4},
      {R"({"__metadata__":{"a":1}})", 0},
      {R"([])", 0},
      {R"({"a":)", 0},
  }));
  CAPTURE(broken.header, broken.data_bytes);
  CHECK_THROWS_AS(SafetensorsReader(write_raw(folder, broken.header, broken.data_bytes)), qsim::InputError);
}

TEST_CASE("a header length beyond the file is refused before anything is allocated") {
  const ScratchFolder folder;
  qsim::write_file_atomically(folder.path("f"), std::string(8, '\xff') + "{}");
  CHECK_THROWS_AS(SafetensorsReader(folder.path("f")), qsim::InputError);
  qsim::write_file_atomically(folder.path("f"), "short");
  CHECK_THROWS_AS(SafetensorsReader(folder.path("f")), qsim::InputError);
  CHECK_THROWS_AS(SafetensorsReader(folder.path("none")), qsim::InputError);
  CHECK_THROWS_AS(SafetensorsReader(folder.path("")), qsim::InputError);
}

TEST_CASE("all problems of a header are reported together") {
  const ScratchFolder folder;
  const std::string path = write_raw(
      folder,
      R"({"a":{"dtype":"I9","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"I8","shape":[2],"data_offsets":[0,1]}})",
      1);
  try {
    const SafetensorsReader reader(path);
    FAIL("no error");
  } catch (const qsim::InputError& error) {
    CHECK(error.problems().size() == 2);
    CHECK(error.problems()[0].place == "a.dtype");
    CHECK(error.problems()[1].place == "b.data_offsets");
  }
}

TEST_CASE("a tensor that is not there is named together with the nearest one") {
  const ScratchFolder folder;
  SafetensorsReader reader(
      write_raw(folder, R"({"conv1.weights":{"dtype":"I8","shape":[1],"data_offsets":[0,1]}})", 1));
  try {
    (void)reader.read("conv2.weights");
    FAIL("no error");
  } catch (const qsim::InputError& error) {
    CHECK(error.problems()[0].place == "conv2.weights");
    CHECK(error.problems()[0].hint.find("\"conv1.weights\"") != std::string::npos);
  }
}
