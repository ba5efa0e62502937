// The survey of an ONNX model.
#include "tests/fuzz/expect_input_error.h"
#include "tests/fuzz/memory_file.h"
#include "workloads/onnx/onnx_model.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const MemoryFile file({data, size});
  accepts([&] { static_cast<void>(qsim::read_onnx_model(file.path())); });
  return 0;
}
