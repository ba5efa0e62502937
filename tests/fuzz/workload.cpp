// read_workload_json, the survey of the same file, then compiling and running what is small. Tensor files
// that a workload names are looked for in the folder of the fuzzer's descriptors, where there are none.
#include "tests/fuzz/bounded_run.h"
#include "tests/fuzz/expect_input_error.h"
#include "tests/fuzz/memory_file.h"
#include "tests/fuzz/survey.h"
#include "workloads/readers/json/json_workload.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const MemoryFile file({data, size});
  qsim::Graph graph;
  const bool is_read = accepts([&] { graph = qsim::read_workload_json(file.path()); });
  demand_survey(file.path(), is_read);
  if (is_read) run_if_small(graph);
  return 0;
}
