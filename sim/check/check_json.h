// A check as JSON: configs/schemas/check.schema.json.
#pragma once

#include <nlohmann/json.hpp>

#include "sim/check/check.h"

namespace qsim {

[[nodiscard]] nlohmann::ordered_json check_json(const CheckResult& result);

}  // namespace qsim
