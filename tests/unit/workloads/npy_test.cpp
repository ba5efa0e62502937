#include "workloads/formats/npy.h"

#include <catch2/catch.hpp>

#include "base/atomic_file.h"
#include "base/error.h"
#include "tests/unit/base/scratch_folder.h"

using qsim::ElementType;
using qsim::TensorData;

namespace {

/// A file of version 1, 2 or 3 with this dictionary and data.
std::string write_raw(const ScratchFolder& folder, char version, const std::string& dictionary,
                      const std::string& data) {
  std::string file = "\x93NUMPY";
  file += {version, '\0', static_cast<char>(dictionary.size()), static_cast<char>(dictionary.size() >> 8)};
  if (version > 1) file += {'\0', '\0'};
  qsim::write_file_atomically(folder.path("a.npy"), file + dictionary + data);
  return folder.path("a.npy");
}

std::string dictionary(const std::string& descr, const std::string& shape) {
  return "{'descr': '" + descr + "', 'fortran_order': False, 'shape': " + shape + ", }\n";
}

qsim::Problem problem_of(const std::string& path) {
  try {
    (void)qsim::read_npy(path);
  } catch (const qsim::InputError& error) {
    return error.problems()[0];
  }
  return {};
}

}  // namespace

TEST_CASE("an array comes back as it was written, whatever its type and rank") {
  const ScratchFolder folder;
  const ElementType type = GENERATE(ElementType::i8, ElementType::u8, ElementType::i16, ElementType::u16,
                                    ElementType::i32, ElementType::i64, ElementType::f32);
  const qsim::Shape shape = GENERATE(values<qsim::Shape>({{}, {5}, {2, 3}, {1, 2, 3, 4}, {0, 3}}));
  TensorData data(type, shape);
  for (std::size_t i = 0; i < data.bytes.size(); ++i) data.bytes[i] = static_cast<std::byte>(i % 100);
  qsim::write_npy(folder.path("a.npy"), data);
  const TensorData read = qsim::read_npy(folder.path("a.npy"));
  CHECK(read.type == type);
  CHECK(read.shape == shape);
  CHECK(read.bytes == data.bytes);
}

TEST_CASE("a written header is a multiple of 64 bytes and ends in a newline") {
  const ScratchFolder folder;
  qsim::write_npy(folder.path("a.npy"), TensorData(ElementType::i8, {7}));
  CHECK(std::filesystem::file_size(folder.path("a.npy")) == 128 + 7);
}

TEST_CASE("versions 1, 2 and 3 are read, with keys in any order") {
  const ScratchFolder folder;
  const char version = GENERATE('\x01', '\x02', '\x03');
  const std::string path = write_raw(folder, version, "{'shape':(2,), 'fortran_order':False,'descr':'<i2'}\n",
                                     std::string("\x01\x02\xff\xff", 4));
  const TensorData read = qsim::read_npy(path);
  CHECK(read.shape == qsim::Shape{2});
  CHECK(read.at(0) == 0x0201);
  CHECK(read.at(1) == -1);
}

TEST_CASE("float64 is rounded to float32") {
  const ScratchFolder folder;
  const std::vector<double> doubles{0.1, -1e300 * 0};
  const std::string bytes(reinterpret_cast<const char*>(doubles.data()), 16);
  const TensorData read = qsim::read_npy(write_raw(folder, '\x01', dictionary("<f8", "(2,)"), bytes));
  CHECK(read.type == ElementType::f32);
  CHECK(read.as<float>()[0] == 0.1F);
}

TEST_CASE("a float64 that float32 does not hold is refused with its index") {
  const ScratchFolder folder;
  const std::vector<double> doubles{1.0, 1e300};
  const std::string bytes(reinterpret_cast<const char*>(doubles.data()), 16);
  CHECK(problem_of(write_raw(folder, '\x01', dictionary("<f8", "(2,)"), bytes)).place == "element 1");
}

TEST_CASE("what is not read is refused with a remedy") {
  const ScratchFolder folder;
  const auto fortran = problem_of(
      write_raw(folder, '\x01', "{'descr': '<i2', 'fortran_order': True, 'shape': (2,), }\n", "abcd"));
  CHECK(fortran.place == "fortran_order");
  CHECK(fortran.hint.find("ascontiguousarray") != std::string::npos);
  for (const char* descr : {">i2", "|b1", "<c8", "<f2", "|S4", "|O", "<u4"}) {
    CAPTURE(descr);
    const auto problem = problem_of(write_raw(folder, '\x01', dictionary(descr, "(1,)"), "abcd"));
    CHECK(problem.place == "descr");
    CHECK(problem.hint.find("astype") != std::string::npos);
  }
}

TEST_CASE("a broken file is refused") {
  const ScratchFolder folder;
  CHECK(problem_of(write_raw(folder, '\x01', dictionary("<i2", "(2,)"), "abc")).place == "data");
  CHECK(problem_of(write_raw(folder, '\x01', dictionary("<i2", "(2,)"), "abcde")).place == "data");
  CHECK(problem_of(write_raw(folder, '\x01', dictionary("<i2", "(4294967296, 4294967296)"), "")).place ==
        "shape");
  CHECK(problem_of(write_raw(folder, '\x01', dictionary("<i2", "(99999999999999999999,)"), "")).place ==
        "shape");
  CHECK(problem_of(write_raw(folder, '\x01', dictionary("<i2", "(-1,)"), "")).place == "shape");
  CHECK(problem_of(write_raw(folder, '\x01', dictionary("<i2", "(,)"), "")).place == "shape");
  CHECK(problem_of(
            write_raw(folder, '\x01', "{'descr': [('a', '<i2')], 'fortran_order': False, 'shape': (1,)}", ""))
            .place == "header");
  CHECK(problem_of(write_raw(folder, '\x01', "{'descr': '<i2', 'shape': (1,)}", "")).place == "header");
  CHECK(problem_of(write_raw(folder, '\x01', "{'descr': '<i2", "")).place == "header");
  CHECK(problem_of(write_raw(folder, '\x09', dictionary("<i2", "(2,)"), "abcd")).place ==
        "byte 6 (format version)");
  qsim::write_file_atomically(folder.path("b.npy"), "PK\x03\x04 this is an archive");
  CHECK(problem_of(folder.path("b.npy")).place == "bytes 0 to 5");
  CHECK_FALSE(problem_of(folder.path("none.npy")).expected.empty());
}
