// `qsim list`: what ships.
#pragma once

#include <string>

#include "sim/cli/shipped_files.h"

namespace qsim::cli {

/// Names and descriptions as a table, or as JSON.
[[nodiscard]] std::string list_text(const ShippedFiles& files, bool as_json);

}  // namespace qsim::cli
