// read_mapping_file, then a small network compiled with the mappings. It is not run: AddressSanitizer does
// not understand exceptions that are thrown after SystemC's coroutines.
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
    static_cast<void>(qsim::compile(small_network(), {}, mapper, false));
  });
  return 0;
}
