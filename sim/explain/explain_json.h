// What explain found, as JSON: docs/explain.md has the keys.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "sim/explain/explain.h"

namespace qsim {

[[nodiscard]] nlohmann::ordered_json explain_json(const ExplainResult& result, const std::string& version);

}  // namespace qsim
