// read_npy.
#include "workloads/formats/npy.h"
#include "tests/fuzz/expect_input_error.h"
#include "tests/fuzz/memory_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const MemoryFile file({data, size});
  accepts([&] { static_cast<void>(qsim::read_npy(file.path())); });
  return 0;
}
