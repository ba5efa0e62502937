// The energy table as the compiler wants it: what each event of a row costs.
#pragma once

#include <memory>
#include <string_view>

#include "sim/compiler/energy_rates.h"
#include "sim/compiler/mapper.h"
#include "sim/energy/energy_model.h"

namespace qsim {

/// Sums of the model's terms by event, for a chip and a table; the model may go before what is returned.
[[nodiscard]] EnergyRates event_rates(const EnergyModel& model);

/// The mapper of a run that is to have the least latency, energy or product of both.
[[nodiscard]] std::unique_ptr<const Mapper> cost_mapper(Objective objective, const EnergyModel& model);

/// "latency", "energy", "edp"
[[nodiscard]] const char* objective_name(Objective objective);
/// Of one of these names.
[[nodiscard]] Objective objective_of(std::string_view name);

}  // namespace qsim
