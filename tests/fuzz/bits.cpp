// read_bit_widths, then the widths on a small network, which is compiled and run.
#include "tests/fuzz/bounded_run.h"
#include "tests/fuzz/expect_input_error.h"
#include "tests/fuzz/memory_file.h"
#include "tests/fuzz/small_network.h"
#include "workloads/graph/bit_width.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const MemoryFile file({data, size});
  accepts([&] {
    qsim::BitWidthOptions options{{}, qsim::read_bit_widths(file.path()), file.path()};
    qsim::Graph graph = small_network();
    qsim::apply_bit_widths(graph, options);
    qsim::validate(graph);
    run_if_small(graph);
  });
  return 0;
}
