// read_preprocess, then what it says on a small image.
#include "workloads/dataset/preprocess.h"

#include <algorithm>
#include <variant>

#include "tests/fuzz/expect_input_error.h"
#include "tests/fuzz/memory_file.h"

namespace {

/// The image stays small enough that resizing it takes less than a second under the sanitizers.
bool is_small(const qsim::Preprocess& preprocess) {
  constexpr std::int64_t most = 256;
  for (const qsim::PreprocessStep& step : preprocess.steps) {
    const auto* shorter = std::get_if<qsim::ResizeShorterSide>(&step);
    const auto* exact = std::get_if<qsim::ResizeTo>(&step);
    if (shorter != nullptr && shorter->size > most) return false;
    if (exact != nullptr && std::max(exact->height, exact->width) > most) return false;
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const MemoryFile file({data, size});
  accepts([&] {
    const qsim::Preprocess preprocess = qsim::read_preprocess(file.path(), {});
    if (!is_small(preprocess)) return;
    qsim::Image image(7, 5, 3);
    for (std::size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = static_cast<std::uint8_t>(i * 7);
    qsim::Tensor input;
    input.name = "x";
    input.shape = {1, 4, 4, 3};
    input.quantization = qsim::Quantization{};
    static_cast<void>(qsim::preprocess_image(image, preprocess, input, "image"));
  });
  return 0;
}
