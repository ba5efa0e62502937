#include "workloads/dataset/idx.h"

#include <zlib.h>

#include <catch2/catch.hpp>

#include "tests/unit/workloads/dataset/dataset_files.h"
#include "workloads/dataset/gzip.h"

using qsim::open_dataset;

namespace {

Bytes idx(std::uint8_t type, const std::vector<std::uint32_t>& dimensions, const Bytes& data) {
  Bytes bytes{0, 0, type, static_cast<std::uint8_t>(dimensions.size())};
  for (const std::uint32_t dimension : dimensions) {
    for (const int shift : {24, 16, 8, 0}) bytes.push_back(static_cast<std::uint8_t>(dimension >> shift));
  }
  bytes.insert(bytes.end(), data.begin(), data.end());
  return bytes;
}

Bytes counting(std::size_t count) {
  Bytes bytes(count);
  for (std::size_t i = 0; i < count; ++i) bytes[i] = static_cast<std::uint8_t>(i);
  return bytes;
}

Bytes gzipped(const Bytes& bytes) {
  z_stream stream{};
  REQUIRE(::deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  Bytes out(::deflateBound(&stream, bytes.size()) + 64);
  stream.next_in = const_cast<Bytef*>(bytes.data());
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = out.data();
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(::deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.erase(out.end() - static_cast<std::ptrdiff_t>(stream.avail_out), out.end());
  ::deflateEnd(&stream);
  return out;
}

/// Three images of 2 rows and 4 columns, labels 5 0 9.
const Bytes kImages = idx(8, {3, 2, 4}, counting(24));
const Bytes kLabels = idx(8, {3}, {5, 0, 9});

qsim::Problem problem_with(const Bytes& images, const Bytes& labels = kLabels) {
  const ScratchFolder folder;
  const std::string path = write_bytes(folder, "t10k-images-idx3-ubyte", images);
  write_bytes(folder, "t10k-labels-idx1-ubyte", labels);
  const auto problems = problems_of([&] { (void)open_dataset("idx:" + path); });
  return problems.empty() ? qsim::Problem{} : problems[0];
}

qsim::Problem gunzip_problem(const Bytes& bytes, std::int64_t max_bytes = 1 << 20) {
  const ScratchFolder folder;
  const qsim::RandomAccessFile file(write_bytes(folder, "x.gz", bytes), "a file");
  const auto problems = problems_of([&] { (void)qsim::gunzip(file, max_bytes); });
  return problems.empty() ? qsim::Problem{} : problems[0];
}

}  // namespace

TEST_CASE("IDX images and labels are read, plain or gzip, by file or folder") {
  const ScratchFolder folder;
  const std::string plain = write_bytes(folder, "t10k-images-idx3-ubyte", kImages);
  write_bytes(folder, "t10k-labels-idx1-ubyte.gz", gzipped(kLabels));
  const std::string packed = write_bytes(folder, "train-images.idx3-ubyte.gz", gzipped(kImages));
  write_bytes(folder, "train-labels.idx1-ubyte", kLabels);
  const std::string path = folder.path("");
  const std::vector<std::string> specs{
      plain, packed, path, path + ",split=train",
      std::string(plain).append(",labels=").append(path).append("train-labels.idx1-ubyte")};
  for (const std::string& spec : specs) {
    const auto data = open_dataset("idx:" + spec);
    REQUIRE(data->size() == 3);
    CHECK(data->label_count() == 10);
    CHECK(data->label(0) == 5);
    CHECK(data->label(2) == 9);
    CHECK_THAT(data->name(2), Catch::EndsWith("#2"));
    const qsim::Image image = data->image(2);
    CHECK((image.width == 4 && image.height == 2 && image.channels == 1));
    CHECK(image.pixels == Bytes{16, 17, 18, 19, 20, 21, 22, 23});
  }
}

TEST_CASE("an IDX file of another kind is refused with what was found") {
  CHECK(problem_with(kImages).value.empty());
  CHECK(problem_with(idx(0x0D, {3, 2, 4}, counting(24))).value == "0 0 13 3");
  CHECK(problem_with(kLabels).value == "0 0 8 1");
  CHECK(problem_with(kImages, kImages).value == "0 0 8 3");
  CHECK(problem_with({0, 0, 8}).value == "3 bytes");
}

TEST_CASE("dimensions of an IDX file are checked before anything is allocated") {
  CHECK(problem_with(idx(8, {0x80000000U, 2, 4}, {})).value == "2147483648 entries");
  CHECK(problem_with(idx(8, {0, 2, 4}, {})).value == "0 entries");
  CHECK(problem_with(idx(8, {3, 0x80000000U, 0xFFFFFFFFU}, {})).value == "4294967295x2147483648 pixels");
  CHECK(problem_with(idx(8, {3, 0, 4}, {})).value == "4x0 pixels");
  CHECK(problem_with(idx(8, {20'000'000, 9000, 9000}, {})).expected ==
        "1620000000000016 bytes, as its dimensions say");
  Bytes longer = kImages;
  longer.push_back(0);
  CHECK(problem_with(longer).value == "41 bytes");
}

TEST_CASE("as many labels as images") {
  CHECK(problem_with(kImages, idx(8, {2}, {1, 2})).value == "2 labels");
}

TEST_CASE("the labels beside the images are found by name, or have to be named") {
  const ScratchFolder folder;
  const auto problem = [](const std::string& spec) {
    return problems_of([&] { (void)open_dataset(spec); }).at(0);
  };
  const std::string other = write_bytes(folder, "digits", kImages);
  CHECK(problem("idx:" + other).hint == "name the labels: idx:IMAGES,labels=FILE");
  const std::string alone = write_bytes(folder, "t10k-images-idx3-ubyte", kImages);
  CHECK(problem("idx:" + alone).expected == "t10k-labels-idx1-ubyte");
  CHECK(problem("idx:" + folder.path("") + ",split=train").expected ==
        "train-images-idx3-ubyte, plain or .gz");
  CHECK(problem("idx:" + folder.path("") + ",split=all").expected == "split=test or split=train");
  CHECK(problem("idx:" + folder.path("") + ",labels=x").hint == "idx:IMAGES,labels=FILE");
  CHECK(problem("idx:" + alone + ",split=test").hint == "idx:FOLDER,split=test");
}

TEST_CASE("gzip data that are cut off or damaged are refused") {
  const Bytes packed = gzipped(counting(3000));
  CHECK(gunzip_problem(packed).value.empty());
  for (std::size_t length = 0; length < packed.size(); ++length) {
    CHECK_FALSE(gunzip_problem(Bytes(packed.begin(), packed.begin() + static_cast<std::ptrdiff_t>(length)))
                    .value.empty());
  }
  Bytes damaged = packed;
  damaged[damaged.size() - 5] ^= 1;  // the checksum
  CHECK(gunzip_problem(damaged).value == "\"incorrect data check\"");
  damaged = packed;
  damaged.push_back('x');
  CHECK_FALSE(gunzip_problem(damaged).value.empty());
}

TEST_CASE("a gzip file of several members is their content one after the other") {
  const ScratchFolder folder;
  Bytes packed = gzipped(counting(70'000));
  const Bytes second = gzipped(Bytes(5, 9));
  packed.insert(packed.end(), second.begin(), second.end());
  const qsim::RandomAccessFile file(write_bytes(folder, "x.gz", packed), "a file");
  Bytes expected = counting(70'000);
  expected.insert(expected.end(), 5, 9);
  CHECK(qsim::gunzip(file, 70'005) == expected);
}

TEST_CASE("a gzip bomb stops at the limit") {
  const Bytes bomb = gzipped(Bytes(10'000'000, 0));
  CHECK(bomb.size() < 20'000);
  CHECK(gunzip_problem(bomb, 9'999'999).value == "more than 9999999 bytes when decompressed");
  CHECK(gunzip_problem(bomb, 10'000'000).value.empty());
}
