// Which memory models there are: the one place that knows their names.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "hw_models/hardware_config.h"
#include "hw_models/memory/memory_model.h"

namespace qsim {

/// Names of the kinds in the order of DramKind, as `dram.kind` of a hardware file gives them.
[[nodiscard]] const std::vector<std::string>& memory_kind_names();

/// The model that `config` asks for; absent where the chip has no external memory.
[[nodiscard]] std::unique_ptr<MemoryModel> make_memory(const DramConfig& config, std::int64_t clock_khz);

}  // namespace qsim
