// read_mapping_file, then a small network with the mappings, compiled and run.
#include <memory>

#include "sim/compiler/mapping_file.h"
#include "sim/simulate.h"
#include "tests/fuzz/expect_input_error.h"
#include "tests/fuzz/memory_file.h"
#include "tests/fuzz/small_network.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const MemoryFile file({data, size});
  accepts([&] {
    const qsim::PinnedMapper mapper(qsim::read_mapping_file(file.path()),
                                    std::make_unique<qsim::CostMapper>());
    qsim::SimulateOptions options;
    options.values = qsim::Values::none;
    options.mapper = &mapper;
    static_cast<void>(qsim::simulate({}, small_network(), {}, options));
  });
  return 0;
}
