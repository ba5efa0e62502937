#include "workloads/dataset/resize.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numbers>
#include <span>
#include <vector>

namespace qsim {
namespace {

constexpr int kFractionBits = 22;  // 8 bits of pixel and 2 of head room (weights are negative, or above 1)
constexpr std::int32_t kOne = 1 << kFractionBits;
constexpr std::int32_t kHalf = 1 << (kFractionBits - 1);

double bilinear(double x) {
  return std::max(0.0, 1.0 - std::abs(x));
}

/// Cubic convolution (Keys 1981, equation 4) with a = -1/2.
double bicubic(double x) {
  constexpr double a = -0.5;
  x = std::abs(x);
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
  return x < 2.0 ? (((x - 5.0) * x + 8.0) * x - 4.0) * a : 0.0;
}

double sinc(double x) {
  const double angle = x * std::numbers::pi;
  return x == 0.0 ? 1.0 : std::sin(angle) / angle;
}

double lanczos(double x) {
  return -3.0 <= x && x < 3.0 ? sinc(x) * sinc(x / 3.0) : 0.0;
}

struct Filter {
  double (*weight)(double);
  double support;
};

Filter filter_of(Interpolation interpolation) {
  switch (interpolation) {
    case Interpolation::bicubic:
      return {bicubic, 2.0};
    case Interpolation::lanczos:
      return {lanczos, 3.0};
    case Interpolation::bilinear:
    case Interpolation::nearest:
      break;
  }
  return {bilinear, 1.0};
}

/// For each output of a pass: its first input, and the weights of the inputs from there on.
struct Taps {
  std::vector<std::int64_t> first;
  std::vector<std::size_t> begin;  ///< Output i has weights[begin[i]] to weights[begin[i + 1] - 1].
  std::vector<std::int32_t> weights;

  [[nodiscard]] std::span<const std::int32_t> of(std::int64_t output) const {
    const auto i = static_cast<std::size_t>(output);
    return {&weights[begin[i]], begin[i + 1] - begin[i]};
  }
};

std::int32_t fixed_point(double weight) {
  return static_cast<std::int32_t>((weight < 0.0 ? -0.5 : 0.5) + weight * kOne);
}

Taps make_taps(std::int64_t inputs, std::int64_t outputs, const Filter& filter) {
  const double ratio = static_cast<double>(inputs) / static_cast<double>(outputs);
  const double stretch = std::max(ratio, 1.0);
  const double per_stretch = 1.0 / stretch;
  const double support = filter.support * stretch;
  Taps taps;
  taps.begin.push_back(0);
  std::vector<double> real;
  for (std::int64_t i = 0; i < outputs; ++i) {
    const double centre = (static_cast<double>(i) + 0.5) * ratio;
    const auto first =
        std::max<std::int64_t>(0, static_cast<std::int64_t>(std::floor(centre - support + 0.5)));
    const auto last =
        std::min<std::int64_t>(inputs, static_cast<std::int64_t>(std::floor(centre + support + 0.5)));
    real.clear();
    double sum = 0.0;
    for (std::int64_t j = first; j < last; ++j) {
      real.push_back(filter.weight((static_cast<double>(j) - centre + 0.5) * per_stretch));
      sum += real.back();
    }
    for (const double weight : real) taps.weights.push_back(fixed_point(sum != 0.0 ? weight / sum : weight));
    taps.first.push_back(first);
    taps.begin.push_back(taps.weights.size());
  }
  return taps;
}

/// 32 bits hold every sum: the absolute weights of one output add up to less than 2.
std::uint8_t to_pixel(std::int32_t sum) {
  return static_cast<std::uint8_t>(std::clamp(sum >> kFractionBits, 0, 255));
}

template <int channels>
Image resize_columns_of(const Image& image, std::int64_t width, const Filter& filter) {
  const Taps taps = make_taps(image.width, width, filter);
  Image result(width, image.height, channels);
  for (std::int64_t y = 0; y < image.height; ++y) {
    const std::uint8_t* in = image.row(y);
    std::uint8_t* out = result.row(y);
    for (std::int64_t x = 0; x < width; ++x) {
      std::int32_t sums[channels];
      std::fill_n(sums, channels, kHalf);
      const std::uint8_t* pixel = in + channels * taps.first[static_cast<std::size_t>(x)];
      for (const std::int32_t weight : taps.of(x)) {
        for (int c = 0; c < channels; ++c) sums[c] += weight * pixel[c];
        pixel += channels;
      }
      for (const std::int32_t sum : sums) *out++ = to_pixel(sum);
    }
  }
  return result;
}

Image resize_columns(const Image& image, std::int64_t width, const Filter& filter) {
  return image.channels == 1 ? resize_columns_of<1>(image, width, filter)
                             : resize_columns_of<3>(image, width, filter);
}

Image resize_rows(const Image& image, std::int64_t height, const Filter& filter) {
  const Taps taps = make_taps(image.height, height, filter);
  Image result(image.width, height, image.channels);
  const auto row_bytes = static_cast<std::size_t>(image.width * image.channels);
  std::vector<std::int32_t> sums(row_bytes);
  for (std::int64_t y = 0; y < height; ++y) {
    std::fill(sums.begin(), sums.end(), kHalf);
    std::int64_t row = taps.first[static_cast<std::size_t>(y)];
    for (const std::int32_t weight : taps.of(y)) {
      const std::uint8_t* in = image.row(row++);
      for (std::size_t i = 0; i < row_bytes; ++i) sums[i] += weight * in[i];
    }
    std::uint8_t* out = result.row(y);
    for (std::size_t i = 0; i < row_bytes; ++i) out[i] = to_pixel(sums[i]);
  }
  return result;
}

std::vector<std::int64_t> nearest_inputs(std::int64_t inputs, std::int64_t outputs) {
  const double ratio = static_cast<double>(inputs) / static_cast<double>(outputs);
  std::vector<std::int64_t> nearest;
  double at = ratio * 0.5;
  for (std::int64_t i = 0; i < outputs; ++i, at += ratio) {
    nearest.push_back(std::min(static_cast<std::int64_t>(at), inputs - 1));
  }
  return nearest;
}

Image resize_nearest(const Image& image, std::int64_t width, std::int64_t height) {
  const std::vector<std::int64_t> columns = nearest_inputs(image.width, width);
  Image result(width, height, image.channels);
  std::int64_t y = 0;
  for (const std::int64_t row : nearest_inputs(image.height, height)) {
    const std::uint8_t* in = image.row(row);
    std::uint8_t* out = result.row(y++);
    for (const std::int64_t column : columns) {
      out = std::copy_n(in + column * image.channels, image.channels, out);
    }
  }
  return result;
}

/// With this order the image between the passes is never larger than both the image and the result.
bool rows_go_first(const Image& image, std::int64_t width, std::int64_t height) {
  const std::int64_t rows_less = image.height - height;
  return rows_less > 0 && rows_less > 2 * (image.width - width);
}

}  // namespace

Image resize(const Image& image, std::int64_t width, std::int64_t height, Interpolation interpolation) {
  assert(width > 0 && height > 0 && width <= kMaxImagePixels / height);
  if (width == image.width && height == image.height) return image;
  if (interpolation == Interpolation::nearest) return resize_nearest(image, width, height);
  const Filter filter = filter_of(interpolation);
  if (width == image.width) return resize_rows(image, height, filter);
  if (height == image.height) return resize_columns(image, width, filter);
  return rows_go_first(image, width, height)
             ? resize_columns(resize_rows(image, height, filter), width, filter)
             : resize_rows(resize_columns(image, width, filter), height, filter);
}

}  // namespace qsim
