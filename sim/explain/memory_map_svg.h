// A memory map as a picture: rows from left to right, addresses from bottom to top.
#pragma once

#include <string>

#include "sim/report/memory_map_json.h"

namespace qsim {

[[nodiscard]] std::string memory_map_svg(const MemoryMap& map, const MemoryMapOf& of);

}  // namespace qsim
