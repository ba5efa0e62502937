#include "workloads/dataset/decode_image.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>
#include <thread>

#include "tests/unit/workloads/dataset/image_encoders.h"

using qsim::decode_image;
using qsim::Image;

namespace {

qsim::Problem problem_of(std::span<const std::uint8_t> bytes,
                         std::int64_t max_pixels = qsim::kMaxImagePixels) {
  const auto problems = problems_of([&] { (void)decode_image(bytes, "cat.jpg", max_pixels); });
  if (problems.empty()) return {};
  CHECK(problems[0].file == "cat.jpg");
  return problems[0];
}

int largest_difference(const Image& a, const Image& b) {
  REQUIRE(a.pixels.size() == b.pixels.size());
  int largest = 0;
  for (std::size_t i = 0; i < a.pixels.size(); ++i)
    largest = std::max(largest, std::abs(a.pixels[i] - b.pixels[i]));
  return largest;
}

/// Each format that the tests of damage go through.
std::vector<Bytes> encoded_samples() {
  return {encode_jpeg(waves(50, 40, 3)), encode_jpeg(waves(50, 40, 3), Scans::progressive),
          encode_jpeg(waves(30, 20, 4)), encode_jpeg(waves(33, 9, 1)),
          encode_png(waves(50, 40, 3)),  encode_png(waves(33, 9, 1))};
}

}  // namespace

TEST_CASE("a PNG comes back as it was written, a JPEG nearly so") {
  for (const std::int64_t channels : {1, 3}) {
    const Image image = waves(45, 31, channels);
    const Image png = decode_image(encode_png(image), "");
    CHECK((png.width == 45 && png.height == 31 && png.channels == channels));
    CHECK(png.pixels == image.pixels);
    for (const Scans scans : {Scans::baseline, Scans::progressive, Scans::one_a_coefficient}) {
      const Image jpeg = decode_image(encode_jpeg(image, scans), "");
      CHECK((jpeg.width == 45 && jpeg.height == 31 && jpeg.channels == channels));
      CHECK(largest_difference(jpeg, image) < 40);  // chroma has half the resolution
    }
  }
}

TEST_CASE("a file cut off anywhere is refused") {
  for (const Bytes& bytes : encoded_samples()) {
    REQUIRE(problem_of(bytes).value.empty());
    for (std::size_t length = 0; length < bytes.size(); ++length) {
      INFO(length << " of " << bytes.size());
      CHECK_FALSE(problem_of({bytes.data(), length}).value.empty());
    }
  }
}

TEST_CASE("damaged bytes are refused or decode, and nothing else") {
  std::mt19937 random(1);
  int refused = 0, decoded = 0;
  for (const Bytes& bytes : encoded_samples()) {
    for (int repetition = 0; repetition < 400; ++repetition) {
      Bytes damaged = bytes;
      for (int change = 0; change < 3; ++change) {
        damaged[random() % damaged.size()] = static_cast<std::uint8_t>(random());
      }
      (problem_of(damaged, 1 << 20).value.empty() ? decoded : refused) += 1;
    }
  }
  CHECK(refused > 500);
  CHECK(decoded > 50);
}

TEST_CASE("a size beyond the limit, or that so few bytes cannot hold, is refused before pixels are made") {
  const std::vector<Bytes> files{encode_jpeg(waves(40, 30, 3)), encode_png(waves(40, 30, 3))};
  for (const Bytes& bytes : files) {
    CHECK(problem_of(bytes, 40 * 30).value.empty());
    CHECK(problem_of(bytes, 40 * 30 - 1).expected == "at most 1199 pixels");
  }
  Bytes jpeg = files[0];
  const std::array<std::uint8_t, 2> start_of_frame{0xFF, 0xC0};
  auto at = std::search(jpeg.begin(), jpeg.end(), start_of_frame.begin(), start_of_frame.end()) + 5;
  for (const std::uint8_t byte : {0x20, 0x00, 0x20, 0x00}) *at++ = byte;  // 8,192 x 8,192
  CHECK_THAT(problem_of(jpeg).value, Catch::Contains("8192x8192 pixels in"));
}

TEST_CASE("scans of a progressive JPEG are limited by the pixels they pass over") {
  const Image image = waves(256, 256, 3);
  const std::string too_many = "\"too many scans for an image of this size\"";
  CHECK(problem_of(encode_jpeg(image, Scans::progressive), 256 * 256).value.empty());
  const Bytes many = encode_jpeg(image, Scans::one_a_coefficient);  // 190
  CHECK(problem_of(many).value.empty());
  CHECK(problem_of(many, 256 * 256).value == too_many);
  CHECK(problem_of(many, 256 * 256 * 9).value == too_many);  // 20 x 9 < 190
  CHECK(problem_of(many, 256 * 256 * 10).value.empty());
}

TEST_CASE("what is neither JPEG nor PNG is refused, whatever its name") {
  CHECK(problem_of(Bytes{'G', 'I', 'F', '8'}).value == "a file of another format");
  CHECK(problem_of(Bytes{}).value == "an empty file");
}

TEST_CASE("images are decoded from several threads at once") {
  const Bytes good = encode_jpeg(waves(64, 64, 3));
  const Bytes cut(good.begin(), good.end() - 20);
  const Image expected = decode_image(good, "");
  std::array<bool, 4> same{};
  std::vector<std::thread> threads;
  threads.reserve(same.size());
  for (bool& is_same : same) {
    threads.emplace_back([&] {
      is_same = true;
      for (int i = 0; i < 50; ++i) {
        is_same = is_same && decode_image(good, "").pixels == expected.pixels &&
                  !problems_of([&] { (void)decode_image(cut, ""); }).empty();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(std::all_of(same.begin(), same.end(), [](bool is_same) { return is_same; }));
}
