// Widths of accumulators as text and as JSON: docs/accumulators.md has the keys.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "sim/explain/accumulators.h"

namespace qsim {

[[nodiscard]] std::string accumulators_text(const AccumulatorAnalysis& analysis);
[[nodiscard]] nlohmann::ordered_json accumulators_json(const AccumulatorAnalysis& analysis,
                                                       const std::string& version);

}  // namespace qsim
