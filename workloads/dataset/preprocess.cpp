#include "workloads/dataset/preprocess.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <type_traits>
#include <utility>

#include "base/error.h"
#include "workloads/dataset/image_operations.h"
#include "workloads/graph/quantize_value.h"

namespace qsim {
namespace {

[[noreturn]] void fail(const std::string& image_name, std::string place, std::string value,
                       std::string expected, std::string hint) {
  throw InputError(
      Problem{image_name, std::move(place), std::move(value), std::move(expected), std::move(hint)});
}

std::string size_text(std::int64_t width, std::int64_t height) {
  return std::to_string(width) + "x" + std::to_string(height) + " pixels";
}

Image resize_checked(const Image& image, std::int64_t width, std::int64_t height, Interpolation interpolation,
                     const std::string& image_name, const std::string& place) {
  if (width > kMaxImagePixels / height) {
    fail(image_name, place, size_text(image.width, image.height) + " to " + size_text(width, height),
         "at most " + std::to_string(kMaxImagePixels) + " pixels", "crop the image first");
  }
  return resize(image, width, height, interpolation);
}

/// Half of an even or odd difference, a half rounded to even, as Python's round((a - b) / 2.0).
std::int64_t half_to_even(std::int64_t difference) {
  const std::int64_t half = difference / 2;
  return half + (difference % 2 != 0 && half % 2 != 0 ? 1 : 0);
}

/// Does one step; members are overloads, one a kind of step.
struct StepRunner {
  const Image& image;
  const std::string& image_name;
  std::string place;

  Image operator()(const ResizeShorterSide& step) const {
    const std::int64_t shorter = std::min(image.width, image.height);
    const auto scaled = [&](std::int64_t side) { return step.size * side / shorter; };
    return resize_checked(image, scaled(image.width), scaled(image.height), step.interpolation, image_name,
                          place);
  }
  Image operator()(const ResizeTo& step) const {
    return resize_checked(image, step.width, step.height, step.interpolation, image_name, place);
  }
  Image operator()(const CenterCrop& step) const {
    if (step.width > image.width || step.height > image.height) {
      fail(image_name, place, size_text(image.width, image.height),
           "at least the crop's " + size_text(step.width, step.height), "resize before the crop");
    }
    return crop(image, half_to_even(image.width - step.width), half_to_even(image.height - step.height),
                step.width, step.height);
  }
  Image operator()(const CenterCropFraction& step) const {
    const std::int64_t shorter = std::min(image.width, image.height);
    const auto side = static_cast<std::int64_t>(std::nearbyint(step.fraction * static_cast<double>(shorter)));
    if (side < 1) {
      fail(image_name, place, size_text(image.width, image.height), "a crop of at least one pixel",
           "resize before the crop");
    }
    return crop(image, (image.width - side) / 2, (image.height - side) / 2, side, side);
  }
};

Image with_channels(const Image& image, ImageChannels channels) {
  switch (channels) {
    case ImageChannels::rgb:
      return to_rgb(image);
    case ImageChannels::bgr:
      return swap_red_blue(to_rgb(image));
    case ImageChannels::grey:
      return to_grey(image);
    case ImageChannels::as_stored:
      break;
  }
  return image;
}

/// How far apart the elements of the input tensor are that hold neighbouring channels and pixels.
struct Layout {
  std::int64_t channel_stride = 0;
  std::int64_t pixel_stride = 0;
};

/// Nothing where an image of this size and number of channels does not fit.
std::optional<Layout> find_layout(std::int64_t height, std::int64_t width, std::int64_t channels,
                                  Shape shape) {
  const std::int64_t pixels = width * height;
  const Shape channels_last{height, width, channels};
  const Shape channels_first{channels, height, width};
  // A batch of one is a leading dimension of 1; of an input without one nothing is taken off.
  const bool is_image = shape == channels_last || shape == channels_first;
  if (!is_image && shape.size() > 1 && shape[0] == 1) shape.erase(shape.begin());
  if (shape == channels_last || (channels == 1 && shape == Shape{pixels})) return Layout{1, channels};
  if (shape == channels_first) return Layout{pixels, 1};
  return std::nullopt;
}

Layout layout_of(const Image& image, const Tensor& input, const Preprocess& preprocess,
                 const std::string& image_name) {
  const std::optional<Layout> layout = find_layout(image.height, image.width, image.channels, input.shape);
  if (layout) return *layout;
  std::string hint = preprocess.remedy;
  if (find_layout(image.height, image.width, image.channels == 1 ? 3 : 1, input.shape)) {
    hint = std::string("set \"channels\": ") + (image.channels == 1 ? "\"RGB\"" : "\"grey\"") +
           " in a --preprocess file";
  }
  fail(image_name, "", to_string(image), "shape " + to_string(input.shape) + " of input " + input.name, hint);
}

float at_channel(const std::vector<float>& values, std::int64_t channel) {
  return values[values.size() == 1 ? 0 : static_cast<std::size_t>(channel)];
}

/// The formula of Preprocess for each of the 256 pixels of one channel.
std::array<float, 256> normalized_pixels(const Preprocess& preprocess, std::int64_t channel) {
  const float mean = at_channel(preprocess.mean, channel);
  const float std = at_channel(preprocess.std, channel);
  std::array<float, 256> values{};
  for (std::size_t pixel = 0; pixel < values.size(); ++pixel) {
    auto value = static_cast<float>(pixel);
    if (preprocess.unit_scale) value = value / 255.0F;
    values[pixel] = (value - mean) / std;
  }
  return values;
}

void check_normalization(const Preprocess& preprocess, const Image& image, const Tensor& input,
                         const std::string& image_name) {
  for (const std::vector<float>* values : {&preprocess.mean, &preprocess.std}) {
    if (values->size() != 1 && static_cast<std::int64_t>(values->size()) != image.channels) {
      fail(image_name, "", to_string(image),
           std::to_string(values->size()) + " channels, as mean and std of " + preprocess.name + " have",
           R"(say which channels the network wants: "channels": "RGB", "BGR" or "grey")");
    }
  }
  if (input.is_float() || input.quantization) return;
  const Preprocess plain;
  const bool keeps_pixels =
      preprocess.mean == plain.mean && preprocess.std == plain.std && !preprocess.unit_scale;
  if (!keeps_pixels || input.type == ElementType::i8) {
    fail(image_name, "", std::string("input ") + input.name + " of type " + element_type_name(input.type),
         "an input with a scale, a float input, or pixels as they are in a type that holds 0 to 255",
         "leave out mean, std and unit_scale");
  }
}

/// Pixels of one channel through the function of their 256 values into every pixel_stride-th element.
template <typename T, typename Function>
void fill_channel(const Image& image, std::int64_t channel, const Layout& layout, std::span<T> out,
                  const Function& function) {
  std::array<T, 256> table{};
  for (std::size_t pixel = 0; pixel < table.size(); ++pixel) table[pixel] = static_cast<T>(function(pixel));
  const std::uint8_t* in = &image.pixels[static_cast<std::size_t>(channel)];
  T* element = &out[static_cast<std::size_t>(channel * layout.channel_stride)];
  for (std::int64_t pixels = image.width * image.height; pixels > 0; --pixels) {
    *element = table[*in];
    in += image.channels;
    element += layout.pixel_stride;
  }
}

template <typename T>
void fill(const Image& image, const Preprocess& preprocess, const Tensor& input, const Layout& layout,
          TensorData& data) {
  for (std::int64_t c = 0; c < image.channels; ++c) {
    const std::array<float, 256> values = normalized_pixels(preprocess, c);
    fill_channel<T>(image, c, layout, data.as<T>(), [&](std::size_t pixel) -> T {
      if constexpr (std::is_floating_point_v<T>) {
        return values[pixel];
      } else {
        return input.quantization ? static_cast<T>(quantize_value(values[pixel], *input.quantization))
                                  : static_cast<T>(pixel);
      }
    });
  }
}

}  // namespace

TensorData preprocess_image(const Image& image, const Preprocess& preprocess, const Tensor& input,
                            const std::string& image_name) {
  Image current = with_channels(image, preprocess.channels);
  for (std::size_t i = 0; i < preprocess.steps.size(); ++i) {
    const StepRunner runner{current, image_name, "steps[" + std::to_string(i) + "] of " + preprocess.name};
    current = std::visit(runner, preprocess.steps[i]);
  }
  const Layout layout = layout_of(current, input, preprocess, image_name);
  check_normalization(preprocess, current, input, image_name);
  TensorData data(input.type, input.shape);
  switch (input.type) {
    case ElementType::i8:
      fill<std::int8_t>(current, preprocess, input, layout, data);
      break;
    case ElementType::u8:
      fill<std::uint8_t>(current, preprocess, input, layout, data);
      break;
    case ElementType::i16:
      fill<std::int16_t>(current, preprocess, input, layout, data);
      break;
    case ElementType::u16:
      fill<std::uint16_t>(current, preprocess, input, layout, data);
      break;
    case ElementType::i32:
      fill<std::int32_t>(current, preprocess, input, layout, data);
      break;
    case ElementType::i64:
      fill<std::int64_t>(current, preprocess, input, layout, data);
      break;
    case ElementType::f32:
      fill<float>(current, preprocess, input, layout, data);
      break;
  }
  return data;
}

}  // namespace qsim
