// Rules between the fields of a chip.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "hw_models/hardware_config.h"

namespace qsim {

/// Every rule that `hardware` breaks (Problem::file is left empty). A rule on a field in `unreadable` is
/// skipped: its value is not the one that the file meant.
[[nodiscard]] std::vector<Problem> broken_hardware_rules(const HardwareConfig& hardware,
                                                         const std::set<std::string>& unreadable = {});

}  // namespace qsim
