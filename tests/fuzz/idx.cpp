// open_idx, plain or gzip, then every image. The first two bytes say how many of the rest are the images'
// file; what follows is the labels'.
#include "workloads/dataset/idx.h"
#include "tests/fuzz/expect_input_error.h"
#include "tests/fuzz/memory_file.h"
#include "workloads/dataset/dataset.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::span<const std::uint8_t> rest(data + 2, size - 2);
  const std::size_t cut = std::min<std::size_t>(rest.size(), data[0] + 256U * data[1]);
  const MemoryFile images(rest.first(cut));
  const MemoryFile labels(rest.subspan(cut));
  accepts([&] {
    const auto dataset = qsim::open_idx(images.path(), labels.path());
    for (std::int64_t i = 0; i < std::min<std::int64_t>(dataset->size(), 100); ++i)
      static_cast<void>(dataset->image(i));
  });
  return 0;
}
