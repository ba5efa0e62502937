// A roofline as a table: at most 100 columns.
#pragma once

#include <string>

#include "sim/explain/roofline.h"

namespace qsim {

[[nodiscard]] std::string roofline_text(const Roofline& roofline);

}  // namespace qsim
