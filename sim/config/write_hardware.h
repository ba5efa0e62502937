// The resolved chip as JSON: every field, defaults included; load_hardware reads it back as the same chip.
#pragma once

#include <nlohmann/json.hpp>

#include "hw_models/hardware_config.h"

namespace qsim {

[[nodiscard]] nlohmann::ordered_json hardware_to_json(const HardwareConfig& hardware);

}  // namespace qsim
