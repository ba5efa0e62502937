// read_mapping_file, then a small network compiled with the mappings. Compiling simulates: in a thread, and
// so on a stack, of its own, because AddressSanitizer does not see SystemC's coroutines switch stacks.
#include <future>
#include <memory>

#include "sim/compiler/compile.h"
#include "sim/compiler/mapping_file.h"
#include "tests/fuzz/expect_input_error.h"
#include "tests/fuzz/memory_file.h"
#include "tests/fuzz/small_network.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const MemoryFile file({data, size});
  accepts([&] {
    const qsim::PinnedMapper mapper(qsim::read_mapping_file(file.path()),
                                    std::make_unique<qsim::CostMapper>());
    const auto compile = [&] { return qsim::compile(small_network(), {}, mapper, false); };
    static_cast<void>(std::async(std::launch::async, compile).get());
  });
  return 0;
}
