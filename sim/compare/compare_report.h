// A comparison as JSON (configs/schemas/compare_outputs.schema.json) and as text.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "sim/compare/compare_tensors.h"
#include "sim/compare/explain.h"

namespace qsim {

struct CompareReport {
  std::string version;
  std::string a, b;  ///< What is compared; files without their folders.
  Tolerance tolerance;
  Comparison comparison;
  std::optional<std::string> first_layer;  ///< Node of the first difference, where a network is known.
  std::optional<Explanation> explanation;  ///< Where one was asked for and something differs.
};

[[nodiscard]] nlohmann::ordered_json compare_json(const CompareReport& report);
/// A line for each tensor that is not equal, and the explanation.
[[nodiscard]] std::string compare_text(const CompareReport& report);

}  // namespace qsim
