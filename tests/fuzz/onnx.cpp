// read_onnx, the survey of the same file, then compiling and running what is small.
#include "tests/fuzz/bounded_run.h"
#include "tests/fuzz/expect_input_error.h"
#include "tests/fuzz/memory_file.h"
#include "tests/fuzz/survey.h"
#include "workloads/readers/onnx/onnx_reader.h"
#include "workloads/readers/workload_format.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const MemoryFile file({data, size});
  qsim::Graph graph;
  const bool is_read = accepts([&] { graph = qsim::read_onnx(file.path()); });
  // The format is told by the name of a file, and this one has none.
  demand_survey([&] { return qsim::onnx_workload_format().survey(file.path(), {}); }, is_read);
  if (is_read) run_if_small(graph);
  return 0;
}
