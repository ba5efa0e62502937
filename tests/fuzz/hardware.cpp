// load_hardware, then a workload of one layer on the chip.
#include <future>

#include "sim/compiler/compile.h"
#include "sim/config/load_hardware.h"
#include "sim/config/write_hardware.h"
#include "tests/fuzz/expect_input_error.h"
#include "tests/fuzz/memory_file.h"
#include "tests/fuzz/small_network.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const MemoryFile file({data, size});
  accepts([&] {
    const std::vector<std::string> shipped{std::string(QSIM_SOURCE_FOLDER) + "/configs"};
    const qsim::HardwareConfig hardware = qsim::load_hardware(file.path(), {}, shipped);
    static_cast<void>(qsim::hardware_to_json(hardware).dump());
    // Compiling may simulate: in a thread, and so on a stack, of its own, because AddressSanitizer does not
    // see SystemC's coroutines switch stacks.
    const auto compile = [&] { return qsim::compile(small_network(), hardware, false); };
    static_cast<void>(std::async(std::launch::async, compile).get());
  });
  return 0;
}
