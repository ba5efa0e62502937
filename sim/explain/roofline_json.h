// A roofline as JSON: docs/explain.md has the keys.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "sim/explain/roofline.h"

namespace qsim {

[[nodiscard]] nlohmann::ordered_json roofline_json(const Roofline& roofline, const std::string& version);

}  // namespace qsim
