// The manual page qsim(1).
#pragma once

#include <string>
#include <vector>

#include "sim/cli/command.h"

namespace qsim::cli {

/// In the man macros, from the option tables and a few paragraphs. `date` is "2026-01-31".
[[nodiscard]] std::string man_page(const std::vector<Command>& all, const std::string& version,
                                   const std::string& date);

}  // namespace qsim::cli
