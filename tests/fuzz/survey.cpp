#include "tests/fuzz/survey.h"

#include <cstdio>
#include <cstdlib>

#include "tests/fuzz/expect_input_error.h"

void demand_survey(const std::string& path, bool is_read) {
  demand_survey([&] { return qsim::survey_workload(path, {}); }, is_read);
}

void demand_survey(const std::function<qsim::WorkloadSurvey()>& survey, bool is_read) {
  bool is_supported = false;
  accepts([&] { is_supported = survey().is_supported(); });
  if (is_supported == is_read) return;
  std::fprintf(stderr, "the file is %s but the survey calls it %s\n", is_read ? "read" : "refused",
               is_supported ? "supported" : "unsupported");
  std::abort();
}
