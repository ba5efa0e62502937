// What explain found, for reading: at most 100 columns.
#pragma once

#include <string>

#include "sim/explain/explain.h"

namespace qsim {

[[nodiscard]] std::string explain_text(const ExplainResult& result);

}  // namespace qsim
