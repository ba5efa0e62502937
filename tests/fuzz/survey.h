// What `qsim check` says of a file has to agree with reading it.
#pragma once

#include <functional>
#include <string>

#include "workloads/readers/support.h"

/// Surveys the workload; aborts where the survey calls a file supported that is not read, or the other way
/// round.
void demand_survey(const std::string& path, bool is_read);
void demand_survey(const std::function<qsim::WorkloadSurvey()>& survey, bool is_read);
