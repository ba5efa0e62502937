#include "sim/report/duty_cycle.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>
#include <vector>

#include "base/error.h"

namespace qsim {
namespace {

[[noreturn]] void throw_unreachable(double rate, double reachable, const RunResult& result) {
  throw InputError({"command line", "--rate", fmt::format("{:g}", rate),
                    fmt::format("at most {:.6g} inferences a second, which {} reaches with {}", reachable,
                                result.hardware.name, result.workload_name),
                    "lower the rate, or give the chip a faster clock or a larger array"});
}

}  // namespace

void add_duty_cycle(RunSummary& summary, const RunResult& result, const EnergyModel& model,
                    std::int64_t batch, double rate) {
  const bool is_steady = summary.steady_state.has_value();
  const std::int64_t busy_cycles = is_steady ? result.steady_state->cycles : result.total_cycles;
  DutyCycle duty;
  duty.rate = rate;
  duty.reachable_rate =
      is_steady ? summary.steady_state->inferences_per_second : summary.inferences_per_second;
  const double clock_hz = static_cast<double>(result.hardware.clock_khz) * 1e3;
  const double period_cycles = std::round(clock_hz * static_cast<double>(batch) / rate);
  // Beyond 2^53 cycles a double no longer counts them one by one.
  constexpr double kMostCycles = 9007199254740992.0;
  if (period_cycles < static_cast<double>(busy_cycles)) throw_unreachable(rate, duty.reachable_rate, result);
  if (period_cycles > kMostCycles) {
    throw InputError({"command line", "--rate", fmt::format("{:g}", rate),
                      fmt::format("at least {:.3g} inferences a second", clock_hz / kMostCycles),
                      "raise the rate"});
  }
  duty.idle_cycles = static_cast<std::int64_t>(period_cycles) - busy_cycles;
  duty.period_s = period_cycles / clock_hz;
  duty.busy_share = static_cast<double>(busy_cycles) / period_cycles;
  duty.events = is_steady ? summary.steady_state->events : summary.totals.events;
  duty.events[idle_cycle_event().name()] = duty.idle_cycles;
  const std::vector<EnergyTerm> idle = model.idle_terms();
  summary.terms.insert(summary.terms.end(), idle.begin(), idle.end());
  duty.energy_pj = energy_of(duty.events, summary.terms);
  duty.energy_total_pj = total_pj(duty.energy_pj);
  duty.inference_pj = duty.energy_total_pj / static_cast<double>(batch);
  duty.power_w = duty.energy_total_pj * 1e-12 / duty.period_s;
  summary.duty_cycle = std::move(duty);
}

}  // namespace qsim
