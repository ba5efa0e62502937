// SafetensorsReader: the header, then every tensor.
#include "workloads/formats/safetensors.h"
#include "tests/fuzz/expect_input_error.h"
#include "tests/fuzz/memory_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const MemoryFile file({data, size});
  accepts([&] {
    qsim::SafetensorsReader reader(file.path());
    for (const std::string& name : reader.names()) static_cast<void>(reader.read(name));
  });
  return 0;
}
