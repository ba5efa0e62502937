#include "workloads/dataset/preprocess.h"

#include <catch2/catch.hpp>

#include "tests/unit/workloads/dataset/dataset_files.h"

using qsim::ElementType;
using qsim::Image;
using qsim::Preprocess;
using qsim::preprocess_image;
using qsim::Shape;
using qsim::Tensor;
using qsim::TensorData;

namespace {

/// Pixel value 16 y + 3 x + c.
Image gradient(std::int64_t width, std::int64_t height, std::int64_t channels) {
  Image image(width, height, channels);
  for (std::int64_t y = 0; y < height; ++y) {
    for (std::int64_t x = 0; x < width; ++x) {
      for (std::int64_t c = 0; c < channels; ++c) {
        image.row(y)[x * channels + c] = static_cast<std::uint8_t>(16 * y + 3 * x + c);
      }
    }
  }
  return image;
}

Tensor float_input(Shape shape) {
  Tensor tensor;
  tensor.name = "x";
  tensor.shape = std::move(shape);
  tensor.type = ElementType::f32;
  return tensor;
}

Tensor int8_input(Shape shape, float scale, std::int32_t zero_point) {
  Tensor tensor = float_input(std::move(shape));
  tensor.type = ElementType::i8;
  tensor.quantization.emplace();
  tensor.quantization->scales = {scale};
  tensor.quantization->zero_points = {zero_point};
  return tensor;
}

qsim::Problem problem_of(const Image& image, const Preprocess& preprocess, const Tensor& input) {
  const auto problems = problems_of([&] { (void)preprocess_image(image, preprocess, input, "cat.png"); });
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].file == "cat.png");
  return problems[0];
}

float value_at(const TensorData& data, std::size_t index) {
  return data.as<float>()[index];
}

}  // namespace

TEST_CASE("without preprocessing values are pixels, channels last or first as the input's shape says") {
  const Image image = gradient(4, 2, 3);
  const TensorData last = preprocess_image(image, {}, float_input({1, 2, 4, 3}), "cat.png");
  const TensorData first = preprocess_image(image, {}, float_input({1, 3, 2, 4}), "cat.png");
  const TensorData no_batch = preprocess_image(image, {}, float_input({3, 2, 4}), "cat.png");
  CHECK(first.shape == Shape{1, 3, 2, 4});
  CHECK(no_batch.bytes == first.bytes);
  for (std::size_t y = 0; y < 2; ++y) {
    for (std::size_t x = 0; x < 4; ++x) {
      for (std::size_t c = 0; c < 3; ++c) {
        const auto pixel = static_cast<float>(16 * y + 3 * x + c);
        CHECK(value_at(last, (y * 4 + x) * 3 + c) == pixel);
        CHECK(value_at(first, (c * 2 + y) * 4 + x) == pixel);
      }
    }
  }
}

TEST_CASE("a shape that an image fits both ways is taken as channels last") {
  const Image image = gradient(3, 3, 3);
  const TensorData data = preprocess_image(image, {}, float_input({1, 3, 3, 3}), "cat.png");
  CHECK(value_at(data, 1) == 1.0F);  // channel 1 of pixel 0
}

TEST_CASE("a grey image fits a flat input") {
  const Image image = gradient(4, 2, 1);
  for (const Shape& shape : {Shape{1, 8}, Shape{8}, Shape{1, 2, 4, 1}, Shape{1, 1, 2, 4}, Shape{2, 4, 1}}) {
    const TensorData data = preprocess_image(image, {}, float_input(shape), "cat.png");
    CHECK(data.shape == shape);
    CHECK(value_at(data, 5) == 19.0F);
  }
}

TEST_CASE("an int8 input with scale 1 and zero point -128 stores pixel - 128") {
  Image image(256, 1, 1);
  for (std::size_t i = 0; i < 256; ++i) image.pixels[i] = static_cast<std::uint8_t>(i);
  const TensorData data = preprocess_image(image, {}, int8_input({1, 256}, 1.0F, -128), "cat.png");
  for (std::int64_t i = 0; i < 256; ++i) CHECK(data.at(i) == i - 128);
}

TEST_CASE("mean and std apply to their channel in float32, then the input's quantization") {
  Preprocess preprocess;
  preprocess.mean = {10.0F, 20.0F, 30.0F};
  preprocess.std = {2.0F, 3.0F, 7.0F};
  const Image image = gradient(1, 2, 3);
  const TensorData real = preprocess_image(image, preprocess, float_input({1, 2, 1, 3}), "cat.png");
  CHECK(value_at(real, 3) == (16.0F - 10.0F) / 2.0F);
  CHECK(value_at(real, 4) == (17.0F - 20.0F) / 3.0F);
  CHECK(value_at(real, 5) == (18.0F - 30.0F) / 7.0F);
  // 3 / 2 = 1.5 -> 2; -1 / 2 = -0.5 -> 0 (ties to even); -12 / 7 / 2 = -0.86 -> -1; each + 5
  const TensorData stored = preprocess_image(image, preprocess, int8_input({1, 2, 1, 3}, 2.0F, 5), "cat.png");
  CHECK(stored.at(3) == 7);
  CHECK(stored.at(4) == 5);
  CHECK(stored.at(5) == 4);
}

TEST_CASE("unit_scale divides the pixel by 255 before the mean is taken off") {
  Preprocess preprocess;
  preprocess.unit_scale = true;
  preprocess.mean = {0.5F};
  preprocess.std = {0.25F};
  Image image(2, 1, 1);
  image.pixels = {51, 255};
  const TensorData data = preprocess_image(image, preprocess, float_input({1, 2}), "cat.png");
  CHECK(value_at(data, 0) == (51.0F / 255.0F - 0.5F) / 0.25F);
  CHECK(value_at(data, 1) == 2.0F);
}

TEST_CASE("channels are exchanged or converted before anything else") {
  Image image(1, 1, 3);
  image.pixels = {200, 100, 50};
  Preprocess preprocess;
  preprocess.channels = qsim::ImageChannels::bgr;
  CHECK(value_at(preprocess_image(image, preprocess, float_input({1, 1, 1, 3}), "cat.png"), 0) == 50.0F);
  preprocess.channels = qsim::ImageChannels::grey;
  // 0.299 * 200 + 0.587 * 100 + 0.114 * 50 = 124.2
  CHECK(value_at(preprocess_image(image, preprocess, float_input({1, 1}), "cat.png"), 0) == 124.0F);
  preprocess.channels = qsim::ImageChannels::rgb;
  const TensorData data =
      preprocess_image(gradient(1, 2, 1), preprocess, float_input({1, 3, 2, 1}), "cat.png");
  CHECK(value_at(data, 5) == 16.0F);
}

TEST_CASE("centre crops begin where torchvision's do: half the difference, halves to even") {
  // difference -> offset, from Python's round(difference / 2.0)
  const auto [difference, offset] = GENERATE(
      table<std::int64_t, std::int64_t>({{0, 0}, {1, 0}, {2, 1}, {3, 2}, {4, 2}, {5, 2}, {6, 3}, {7, 4}}));
  Preprocess preprocess;
  preprocess.steps = {qsim::CenterCrop{2, 4}};
  const Image image = gradient(4 + difference, 2, 1);
  const TensorData data = preprocess_image(image, preprocess, float_input({1, 2, 4, 1}), "cat.png");
  CHECK(value_at(data, 0) == static_cast<float>(3 * offset));
}

TEST_CASE("a central fraction is a square of the shorter side, halves to even, its offset rounded down") {
  Preprocess preprocess;
  preprocess.steps = {qsim::CenterCropFraction{0.5}};
  // 7 x 10: side 4 (3.5), from row 3 and column 1 (1.5)
  const TensorData seven =
      preprocess_image(gradient(7, 10, 1), preprocess, float_input({1, 4, 4, 1}), "cat.png");
  CHECK(value_at(seven, 0) == 16.0F * 3 + 3.0F * 1);
  // 10 x 5: side 2 (2.5), from row 1 (1.5) and column 4
  const TensorData five =
      preprocess_image(gradient(10, 5, 1), preprocess, float_input({1, 2, 2, 1}), "cat.png");
  CHECK(value_at(five, 0) == 16.0F * 1 + 3.0F * 4);
}

TEST_CASE("the shorter side gets the size asked for, the longer one is rounded down") {
  Preprocess preprocess;
  preprocess.steps = {qsim::ResizeShorterSide{4, qsim::Interpolation::nearest}};
  const auto fits = [&](std::int64_t width, std::int64_t height, Shape shape) {
    return problems_of([&] {
             (void)preprocess_image(Image(width, height, 1), preprocess, float_input(std::move(shape)), "");
           })
        .empty();
  };
  CHECK(fits(5, 3, {1, 4, 6, 1}));  // 4 * 5 / 3 = 6.67
  CHECK(fits(3, 5, {1, 6, 4, 1}));
  CHECK(fits(8, 8, {1, 4, 4, 1}));
  CHECK_FALSE(fits(5, 3, {1, 4, 7, 1}));
}

TEST_CASE("an image that does not fit names itself, its size, the input and the remedy") {
  Preprocess preprocess;
  preprocess.remedy = "say how";
  const qsim::Problem size = problem_of(gradient(4, 2, 3), preprocess, float_input({1, 4, 2, 3}));
  CHECK(size.value == "4x2, 3 channels");
  CHECK(size.expected == "shape 1x4x2x3 of input x");
  CHECK(size.hint == "say how");
  CHECK(problem_of(gradient(4, 2, 3), {}, float_input({2, 2, 4, 3})).value == "4x2, 3 channels");  // a batch
  CHECK(problem_of(gradient(4, 2, 3), {}, float_input({1, 24})).value == "4x2, 3 channels");
}

TEST_CASE("another number of channels is changed only if asked for") {
  const std::string hint = "\"channels\"";
  CHECK_THAT(problem_of(gradient(4, 2, 1), {}, float_input({1, 2, 4, 3})).hint,
             Catch::Contains("\"channels\": \"RGB\""));
  CHECK_THAT(problem_of(gradient(4, 2, 3), {}, float_input({1, 1, 2, 4})).hint,
             Catch::Contains("\"channels\": \"grey\""));
  Preprocess preprocess;
  preprocess.mean = {1.0F, 2.0F, 3.0F};
  CHECK_THAT(problem_of(gradient(4, 2, 1), preprocess, float_input({1, 2, 4, 1})).hint,
             Catch::Contains("\"channels\": \"RGB\""));
}

TEST_CASE("a crop larger than the image is an error that names the step") {
  Preprocess preprocess;
  preprocess.name = "p.json";
  preprocess.steps = {qsim::CenterCrop{2, 5}};
  const qsim::Problem problem = problem_of(gradient(4, 2, 1), preprocess, float_input({1, 2, 5, 1}));
  CHECK(problem.place == "steps[0] of p.json");
  CHECK(problem.value == "4x2 pixels");
  preprocess.steps = {qsim::CenterCropFraction{0.2}};  // 0.4 of a pixel
  CHECK(problem_of(gradient(4, 2, 1), preprocess, float_input({1, 1})).value == "4x2 pixels");
}

TEST_CASE("an image too large to resize is refused before anything is allocated") {
  Preprocess preprocess;
  preprocess.steps = {qsim::ResizeShorterSide{60'000, qsim::Interpolation::bilinear}};
  CHECK_THAT(problem_of(Image(4000, 1, 1), preprocess, float_input({1, 1})).value,
             Catch::Contains("240000000x60000 pixels"));
  preprocess.steps = {qsim::ResizeTo{9'460, 9'460, qsim::Interpolation::bilinear}};
  CHECK_THAT(problem_of(Image(1, 1, 1), preprocess, float_input({1, 1})).expected,
             Catch::Contains("89478485"));
}

TEST_CASE("an integer input without a scale takes pixels, and nothing else") {
  Tensor input = float_input({1, 2, 4, 1});
  input.type = ElementType::u8;
  CHECK(preprocess_image(gradient(4, 2, 1), {}, input, "").at(5) == 19);
  Preprocess preprocess;
  preprocess.mean = {1.0F};
  CHECK_THAT(problem_of(gradient(4, 2, 1), preprocess, input).value, Catch::Contains("of type U8"));
  input.type = ElementType::i8;
  CHECK_THAT(problem_of(gradient(4, 2, 1), {}, input).value, Catch::Contains("of type I8"));
}
