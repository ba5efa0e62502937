// open_image_folder with a labels file, in a folder of two files.
#include "tests/fuzz/expect_input_error.h"
#include "tests/fuzz/memory_file.h"
#include "workloads/dataset/dataset.h"
#include "workloads/dataset/image_folder.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const MemoryFile labels({data, size});
  accepts([&] {
    const auto dataset = qsim::open_image_folder(std::string(QSIM_SOURCE_FOLDER) + "/configs", labels.path());
    for (std::int64_t i = 0; i < dataset->size(); ++i) static_cast<void>(dataset->name(i) + "x");
    if (dataset->size() > 0) accepts([&] { static_cast<void>(dataset->image(0)); });  // JSON is no image.
  });
  return 0;
}
