// From a picture's pixels to the input tensor of a network.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "workloads/dataset/image.h"
#include "workloads/dataset/resize.h"
#include "workloads/graph/graph.h"

namespace qsim {

/// What the network wants in its channels; `as_stored` takes grey or RGB as the file has it.
enum class ImageChannels { as_stored, rgb, bgr, grey };

/// The shorter side becomes `size`, the longer one floor(size * longer / shorter): torchvision's
/// Resize(size).
struct ResizeShorterSide {
  std::int64_t size = 0;
  Interpolation interpolation = Interpolation::bilinear;
};

/// Exactly so, whatever the aspect ratio.
struct ResizeTo {
  std::int64_t height = 0;
  std::int64_t width = 0;
  Interpolation interpolation = Interpolation::bilinear;
};

/// Keeps height x width pixels from row rne((H - height) / 2) and column rne((W - width) / 2), rne: halves to
/// even: torchvision's CenterCrop, which is Python's round. An image that is smaller is an error.
struct CenterCrop {
  std::int64_t height = 0;
  std::int64_t width = 0;
};

/// Keeps the central square of side s = rne(fraction * shorter side), the product in double, from row
/// floor((H - s) / 2) and column floor((W - s) / 2).
struct CenterCropFraction {
  double fraction = 1.0;
};

using PreprocessStep = std::variant<ResizeShorterSide, ResizeTo, CenterCrop, CenterCropFraction>;

/// Applied in this order: channels, steps, then for each pixel p of channel c, in float32:
///   value = (p - mean[c]) / std[c]                 unit_scale: p / 255 instead of p
/// The default takes pixels as they are.
struct Preprocess {
  std::string name;  ///< Name or path that it was read from; empty: none.
  ImageChannels channels = ImageChannels::as_stored;
  std::vector<PreprocessStep> steps;
  bool unit_scale = false;
  std::vector<float> mean{0.0F};  ///< One for all channels, or one a channel in the network's order.
  std::vector<float> std{1.0F};   ///< The same; positive.
  std::string remedy;             ///< The hint where an image does not fit the network's input.
};

/// A file, or NAME or NAME.json in `search_dirs`, first match first. Throws InputError with every problem of
/// the file; where nothing is found it lists what ships.
[[nodiscard]] Preprocess read_preprocess(const std::string& name_or_path,
                                         const std::vector<std::string>& search_dirs);

/// Pixels as they are; the remedy names what ships in `search_dirs`.
[[nodiscard]] Preprocess no_preprocess(const std::vector<std::string>& search_dirs);

/// The value of `input` for one image, in the type and with the quantization of `input` (quantize_value).
/// `input` has the shape 1 x H x W x C or 1 x C x H x W, whichever fits the image (the first where both do),
/// either without the leading 1; a grey image also fits 1 x HW and HW. Integer inputs without quantization
/// take pixels only. Throws InputError that names the image where sizes or channels do not fit, or a step
/// cannot be done.
[[nodiscard]] TensorData preprocess_image(const Image& image, const Preprocess& preprocess,
                                          const Tensor& input, const std::string& image_name);

}  // namespace qsim
