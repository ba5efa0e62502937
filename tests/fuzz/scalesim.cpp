// read_scalesim, then compiling and running what is small.
#include "tests/fuzz/bounded_run.h"
#include "tests/fuzz/expect_input_error.h"
#include "tests/fuzz/memory_file.h"
#include "workloads/readers/scalesim/scalesim_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const MemoryFile file({data, size});
  qsim::Graph graph;
  if (accepts([&] { graph = qsim::read_scalesim(file.path()); })) run_if_small(graph);
  return 0;
}
