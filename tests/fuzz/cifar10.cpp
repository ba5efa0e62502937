// open_cifar10, then every image.
#include "workloads/dataset/cifar10.h"
#include "tests/fuzz/expect_input_error.h"
#include "tests/fuzz/memory_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const MemoryFile file({data, size});
  accepts([&] {
    const auto dataset = qsim::open_cifar10(file.path());
    for (std::int64_t i = 0; i < dataset->size(); ++i) {
      static_cast<void>(dataset->label(i));
      static_cast<void>(dataset->image(i));
    }
  });
  return 0;
}
