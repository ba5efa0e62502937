// A memory map as JSON (configs/schemas/memory_map.schema.json).
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "sim/compiler/memory_map.h"

namespace qsim {

/// Which network on which chip.
struct MemoryMapOf {
  std::string hardware, workload;
};

[[nodiscard]] nlohmann::ordered_json memory_map_json(const MemoryMap& map, const MemoryMapOf& of,
                                                     const std::string& version);

}  // namespace qsim
