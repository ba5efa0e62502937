// Tensors that take the place of what they are made from.
#pragma once

#include <vector>

#include "sim/compiler/lower.h"

namespace qsim {

/// Storages in whose bytes a row of the vector unit may leave its output: each element, or each row of
/// channels, is read there before the same one is written, and nothing else of it is read later. Whether
/// their lives allow it is not looked at.
[[nodiscard]] std::vector<int> replaceable_inputs(const LoweredRow& row);

}  // namespace qsim
