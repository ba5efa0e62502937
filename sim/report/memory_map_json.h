// A memory map as JSON (configs/schemas/memory_map.schema.json).
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "sim/compiler/memory_ranges.h"

namespace qsim {

/// Which network on which chip.
struct MemoryMapOf {
  std::string hardware, workload;
};

[[nodiscard]] nlohmann::ordered_json memory_map_json(const MemoryMap& map, const MemoryMapOf& of,
                                                     const std::string& version);

/// `rows`, `activation_buffer` and `weight_buffer` alone: `memory_map` of a report.
[[nodiscard]] nlohmann::ordered_json memory_map_json(const MemoryMap& map);

/// The map of such JSON, which stands at `place` of `file`. Throws InputError with every problem.
[[nodiscard]] MemoryMap read_memory_map(const nlohmann::ordered_json& json, const std::string& file,
                                        const std::string& place);

}  // namespace qsim
