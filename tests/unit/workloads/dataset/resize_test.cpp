// Bit-exactness is tested against Pillow (tests/conformance/test_preprocess.py); here are values that can be
// followed by hand, and the edges.
#include "workloads/dataset/resize.h"

#include <algorithm>
#include <catch2/catch.hpp>

using qsim::Image;
using qsim::Interpolation;
using qsim::resize;

namespace {

const std::vector<Interpolation> kAll{Interpolation::nearest, Interpolation::bilinear, Interpolation::bicubic,
                                      Interpolation::lanczos};

Image row(std::vector<std::uint8_t> pixels) {
  Image image(static_cast<std::int64_t>(pixels.size()), 1, 1);
  image.pixels = std::move(pixels);
  return image;
}

}  // namespace

TEST_CASE("halving with a triangle takes four pixels, fewer at the edges") {
  // Weights 1 3 3 1 (eighths) inside; 3 3 1 (sevenths) at the left edge, 1 3 3 at the right.
  const Image half = resize(row({0, 80, 160, 240, 40, 120}), 3, 1, Interpolation::bilinear);
  CHECK(half.pixels == std::vector<std::uint8_t>{(3 * 0 + 3 * 80 + 160 + 3) / 7,
                                                 (80 + 3 * 160 + 3 * 240 + 40) / 8,
                                                 (240 + 3 * 40 + 3 * 120 + 3) / 7});
}

TEST_CASE("doubling with a triangle takes a quarter of the neighbour") {
  const Image twice = resize(row({0, 100}), 4, 1, Interpolation::bilinear);
  CHECK(twice.pixels == std::vector<std::uint8_t>{0, 25, 75, 100});
}

TEST_CASE("the cubic filter overshoots, and pixels stay within 8 bits") {
  // At half way between pixels the weights are -1/16 9/16 9/16 -1/16.
  const Image thirds = resize(row({0, 0, 255, 255}), 12, 1, Interpolation::bicubic);
  CHECK(thirds.pixels.front() == 0);
  CHECK(thirds.pixels.back() == 255);
  CHECK(std::is_sorted(thirds.pixels.begin(), thirds.pixels.end()));
  const Image dip = resize(row({100, 100, 0, 0, 0, 100, 100}), 21, 1, Interpolation::bicubic);
  CHECK(*std::max_element(dip.pixels.begin(), dip.pixels.end()) > 100);
}

TEST_CASE("nearest takes the pixel under the centre") {
  CHECK(resize(row({1, 2, 3, 4, 5}), 2, 1, Interpolation::nearest).pixels == std::vector<std::uint8_t>{2, 4});
  CHECK(resize(row({1, 2}), 5, 1, Interpolation::nearest).pixels == std::vector<std::uint8_t>{1, 1, 2, 2, 2});
}

TEST_CASE("an even image stays even, whatever the size, the filter and the order of the passes") {
  const std::pair<std::int64_t, std::int64_t> size =
      GENERATE(values<std::pair<std::int64_t, std::int64_t>>({{1, 1}, {1, 300}, {300, 1}, {7, 5}, {64, 64}}));
  const std::pair<std::int64_t, std::int64_t> target =
      GENERATE(values<std::pair<std::int64_t, std::int64_t>>({{1, 1}, {2, 500}, {500, 2}, {33, 3}, {3, 33}}));
  for (const Interpolation interpolation : kAll) {
    Image image(size.first, size.second, 3);
    for (std::size_t i = 0; i < image.pixels.size(); ++i) {
      image.pixels[i] = static_cast<std::uint8_t>(i % 3 == 0 ? 255 : i % 3 == 1 ? 0 : 77);
    }
    const Image result = resize(image, target.first, target.second, interpolation);
    REQUIRE((result.width == target.first && result.height == target.second));
    for (std::size_t i = 0; i < result.pixels.size(); i += 3) {
      CHECK((result.pixels[i] == 255 && result.pixels[i + 1] == 0 && result.pixels[i + 2] == 77));
    }
  }
}

TEST_CASE("the largest overshoot of each filter fits its 32-bit sum") {
  for (const Interpolation interpolation : kAll) {
    for (std::int64_t width = 1; width <= 40; ++width) {
      for (const int phase : {0, 1, 2, 3}) {
        Image image(width, width, 1);  // stripes meet the filter's lobes in every phase; UBSan looks on
        for (std::int64_t i = 0; i < width * width; ++i) {
          image.pixels[static_cast<std::size_t>(i)] = ((i / (1 + phase)) + i / width) % 2 == 0 ? 255 : 0;
        }
        CHECK(resize(image, 97, 89, interpolation).pixels.size() == 97U * 89U);
        CHECK(resize(image, 3, 2, interpolation).pixels.size() == 6U);
      }
    }
  }
}

TEST_CASE("rows go first where the height shrinks by more than twice what the width shrinks by") {
  // Lanczos on noise: the two orders differ in some pixel.
  Image image(9, 40, 1);
  std::uint32_t state = 1;
  for (std::uint8_t& pixel : image.pixels)
    pixel = static_cast<std::uint8_t>((state = state * 1103515245 + 12345) >> 24);
  const auto in_order = [&](bool rows_first, std::int64_t width, std::int64_t height) {
    const Image between = rows_first ? resize(image, image.width, height, Interpolation::lanczos)
                                     : resize(image, width, image.height, Interpolation::lanczos);
    return resize(between, width, height, Interpolation::lanczos).pixels;
  };
  const auto result = [&](std::int64_t width, std::int64_t height) {
    return resize(image, width, height, Interpolation::lanczos).pixels;
  };
  CHECK(result(4, 30) == in_order(false, 4, 30));  // 10 rows less, 5 columns less
  CHECK(result(4, 30) != in_order(true, 4, 30));
  CHECK(result(4, 29) == in_order(true, 4, 29));  // 11 rows less
  CHECK(result(4, 29) != in_order(false, 4, 29));
  CHECK(result(20, 45) == in_order(false, 20, 45));  // both grow
}
