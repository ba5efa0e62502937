// Chains that mapping files ask for.
#pragma once

#include <vector>

#include "base/error.h"
#include "hw_models/hardware_config.h"
#include "sim/compiler/chain.h"
#include "sim/compiler/mapper.h"

namespace qsim {

/// The chains that rows name by what they are fused with. What is no chain is a problem.
[[nodiscard]] std::vector<ChainLayout> check_chain_pins(const Schedule& schedule,
                                                        const std::vector<LoweredRow>& lowered,
                                                        const HardwareConfig& hardware,
                                                        const std::vector<RowPin>& rows,
                                                        std::vector<Problem>& problems);

}  // namespace qsim
