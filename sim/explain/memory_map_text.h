// A memory map as a table.
#pragma once

#include <string>

#include "sim/report/memory_map_json.h"

namespace qsim {

[[nodiscard]] std::string memory_map_text(const MemoryMap& map, const MemoryMapOf& of);

}  // namespace qsim
