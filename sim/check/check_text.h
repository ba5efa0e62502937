// A check as text: a table of the nodes, what is not supported grouped by what to do about it, remarks.
#pragma once

#include <string>

#include "sim/check/check.h"

namespace qsim {

/// At most 100 columns, but for single words that are longer. `kernels` names what computes values on this
/// computer.
[[nodiscard]] std::string check_text(const CheckResult& result, const std::string& kernels);

}  // namespace qsim
