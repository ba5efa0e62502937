// decode_image, then the usual preprocessing.
#include "tests/fuzz/expect_input_error.h"
#include "workloads/dataset/decode_image.h"
#include "workloads/dataset/preprocess.h"

namespace {

/// Small enough that decoding and resizing stay below a second under the sanitizers.
constexpr std::int64_t kMostPixels = 1 << 18;

qsim::Preprocess usual_preprocess() {
  qsim::Preprocess preprocess;
  preprocess.channels = qsim::ImageChannels::rgb;
  preprocess.steps = {qsim::ResizeShorterSide{20, qsim::Interpolation::bilinear}, qsim::CenterCrop{16, 16}};
  return preprocess;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  accepts([&] {
    const qsim::Image image = qsim::decode_image({data, size}, "image", kMostPixels);
    qsim::Tensor input;
    input.name = "x";
    input.shape = {1, 16, 16, 3};
    input.quantization = qsim::Quantization{};
    static_cast<void>(qsim::preprocess_image(image, usual_preprocess(), input, "image"));
  });
  return 0;
}
