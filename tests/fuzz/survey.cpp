#include "tests/fuzz/survey.h"

#include <cstdio>
#include <cstdlib>

#include "tests/fuzz/expect_input_error.h"
#include "workloads/support.h"

void demand_survey(const std::string& path, bool is_read) {
  bool is_supported = false;
  accepts([&] { is_supported = qsim::survey_workload(path, {}).is_supported(); });
  if (is_supported == is_read) return;
  std::fprintf(stderr, "the file is %s but the survey calls it %s\n", is_read ? "read" : "refused",
               is_supported ? "supported" : "unsupported");
  std::abort();
}
