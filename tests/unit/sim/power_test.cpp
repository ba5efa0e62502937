// Energy at a rate, over time, and how far it can be relied on.
#include <catch2/catch.hpp>
#include <numeric>

#include "base/error.h"
#include "sim/energy/voltage.h"
#include "sim/report/duty_cycle.h"
#include "sim/report/power_profile.h"
#include "sim/report/trace.h"
#include "sim/report/uncertainty.h"
#include "tests/unit/sim/hardware_files.h"
#include "tests/unit/sim/sample_run.h"

using qsim::Component;
using qsim::EnergyModel;
using qsim::EnergyTerm;
using qsim::Event;

namespace {

EnergyModel model_of(const qsim::HardwareConfig& hardware) {
  return {hardware, qsim::load_energy_table("45nm", shipped_energy_tables(), "")};
}

double part(const qsim::EnergyBreakdown& energy, Component component) {
  return energy[static_cast<std::size_t>(component)];
}

/// 200 cycles at 1 GHz and as many idle ones as make it 1,000.
qsim::DutyCycle every_thousand_cycles(const qsim::RunResult& run, std::int64_t batch = 1) {
  const EnergyModel model = model_of(run.hardware);
  qsim::RunSummary summary = qsim::summarize(run, model, batch);
  qsim::add_duty_cycle(summary, run, model, batch, 1e6 * static_cast<double>(batch));
  return *summary.duty_cycle;
}

double sum_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

}  // namespace

TEST_CASE("what is assumed or extrapolated is counted once an entry, the largest first") {
  const std::vector<EnergyTerm> terms = {
      {Component::dma, Event::dma_bytes, 0.5, "dma_byte", "assumed", ""},
      {Component::dram, Event::dma_bytes, 4.0, "bit", "published", ""},
      {Component::dram, Event::dma_requests, 8.0, "row", "extrapolated", ""},
      {Component::wires, Event::dma_bytes, 0.25, "dma_byte", "assumed", ""},
      {Component::weight_buffer, Event::dma_requests, 3.0, "curve", "computed", "", "", true},
      {Component::control, Event::commands, 9.0, "command", "assumed", ""}};
  const qsim::Uncertainty found = qsim::uncertainty_of({{"dma_bytes", 100}, {"dma_requests", 1}}, terms);
  REQUIRE(found.entries.size() == 3);  // nothing of `commands`, which were not counted
  CHECK(found.entries[0].key == "dma_byte");
  CHECK(found.entries[0].energy_pj == 75.0);
  CHECK(found.entries[1].key == "row");
  CHECK(found.entries[2].key == "curve");
  CHECK(found.entries[2].kind == "extrapolated");
  CHECK(found.energy_pj == 86.0);
  CHECK(found.low_pj(486.0) == 443.0);   // 400 + 86 / 2
  CHECK(found.high_pj(486.0) == 572.0);  // 400 + 86 * 2
}

TEST_CASE("halving or doubling the entries themselves moves the energy to the ends of the band") {
  const qsim::RunResult run = sample::run();
  const qsim::EnergyTable table = qsim::load_energy_table("45nm", shipped_energy_tables(), "");
  const qsim::RunSummary plain = qsim::summarize(run, {run.hardware, table}, 1);
  const auto scaled = [&](double factor) {
    qsim::EnergyTable other = table;
    for (const qsim::UncertainEntry& entry : plain.uncertainty.entries) {
      qsim::EnergyEntry& changed = other.entries.at(entry.key);
      changed.value *= factor;
      for (auto& point : changed.points) point.second *= factor;
    }
    return qsim::summarize(run, {run.hardware, other}, 1).totals.energy_total_pj;
  };
  const double total = plain.totals.energy_total_pj;
  CHECK(scaled(0.5) == Approx(plain.uncertainty.low_pj(total)));
  CHECK(scaled(2.0) == Approx(plain.uncertainty.high_pj(total)));
}

TEST_CASE("at a rate the chip leaks, clocks and waits in idle cycles, and its memory sleeps") {
  const qsim::RunResult run = sample::run();
  const qsim::RunSummary flat_out = qsim::summarize(run, model_of(run.hardware), 1);
  const qsim::DutyCycle duty = every_thousand_cycles(run);
  CHECK(duty.idle_cycles == 800);
  CHECK(duty.busy_share == Approx(0.2));
  CHECK(duty.reachable_rate == Approx(5e6));
  // Leakage has only terms of cycles: five times as many of them.
  CHECK(part(duty.energy_pj, Component::static_power) ==
        Approx(5 * part(flat_out.totals.energy_pj, Component::static_power)));
  CHECK(part(duty.energy_pj, Component::clock) ==
        Approx(5 * part(flat_out.totals.energy_pj, Component::clock)));
  CHECK(part(duty.energy_pj, Component::mac_array) == part(flat_out.totals.energy_pj, Component::mac_array));
  // LPDDR4 at 12.8 GB/s refreshes itself at a tenth of 3 mW a GB/s: 3.84 pJ in each of 800 ns.
  CHECK(part(duty.energy_pj, Component::dram) - part(flat_out.totals.energy_pj, Component::dram) ==
        Approx(800 * 3.84));
  CHECK(duty.power_w == Approx(duty.energy_total_pj * 1e-12 / 1e-6));
}

TEST_CASE("a gated clock stands still between inferences") {
  qsim::RunResult run = sample::run();
  run.hardware.clock_gating = true;
  const qsim::RunSummary flat_out = qsim::summarize(run, model_of(run.hardware), 1);
  CHECK(part(every_thousand_cycles(run).energy_pj, Component::clock) ==
        part(flat_out.totals.energy_pj, Component::clock));
}

TEST_CASE("the inferences of a batch share its energy") {
  const qsim::DutyCycle duty = every_thousand_cycles(sample::run(), 4);
  CHECK(duty.idle_cycles == 800);
  CHECK(duty.inference_pj == Approx(duty.energy_total_pj / 4));
}

TEST_CASE("a rate beyond what the chip reaches names the one that it does") {
  const qsim::RunResult run = sample::run();
  const EnergyModel model = model_of(run.hardware);
  qsim::RunSummary summary = qsim::summarize(run, model, 1);
  CHECK_THROWS_WITH(qsim::add_duty_cycle(summary, run, model, 1, 5.1e6),
                    Catch::Contains("at most 5e+06 inferences a second"));
  qsim::add_duty_cycle(summary, run, model, 1, 5e6);
  CHECK(summary.duty_cycle->idle_cycles == 0);
  CHECK(summary.duty_cycle->energy_total_pj == Approx(summary.totals.energy_total_pj));
}

// 30 FO4 of 0.5 ps a nm: 30 x 22.5 ps = 0.675 ns. ((0.6 - 0.3)^1.3 / 0.6) / ((0.9 - 0.3)^1.3 / 0.9) = 1.5 /
// 2^1.3.
TEST_CASE("the clock that a voltage allows follows the alpha-power law") {
  CHECK(qsim::most_clock_khz(45, 0.9, 0.9) == Approx(1e6 / 0.675));
  CHECK(qsim::most_clock_khz(45, 0.9, 0.6) == Approx(1e6 / 0.675 * 1.5 / 2.4622888));
  CHECK(qsim::most_clock_khz(45, 0.9, 0.3) == 0.0);
  qsim::HardwareConfig chip;  // 1 GHz, 0.9 V
  CHECK(model_of(chip).remarks().empty());
  chip.voltage_v = 0.6;
  REQUIRE(model_of(chip).remarks().size() == 1);
  CHECK_THAT(model_of(chip).remarks()[0],
             Catch::Contains("1000 MHz") && Catch::Contains("903 MHz that 0.6 V"));
  chip.clock_khz = 900'000;
  CHECK(model_of(chip).remarks().empty());
}

TEST_CASE("power over time sums to the run's energy, and MACs are where the array computes") {
  qsim::RunResult run = sample::run();
  run.timeline.layers = {0};
  run.timeline.rows = {{10, 190, 200}};
  run.timeline.intervals = {{20, 24, 0, qsim::Span::weights_busy, 208},
                            {100, 116, 0, qsim::Span::compute},
                            {150, 160, 0, qsim::Span::requantizer_busy},
                            {180, 190, 0, qsim::Span::stores_busy, 256}};
  const qsim::RunSummary summary = qsim::summarize(run, model_of(run.hardware), 1);
  const qsim::PowerProfile power = qsim::power_profile(run, summary);
  CHECK(power.window_cycles == 1);  // 200 cycles are less than 1,024
  REQUIRE(power.energy_pj.size() == 200);
  CHECK(sum_of(power.energy_pj) == Approx(summary.totals.energy_total_pj).epsilon(1e-12));
  CHECK(power.average_w == Approx(summary.power_w));
  const auto at = [&](std::size_t cycle) { return power.energy_pj[cycle]; };
  // Everything that the array and its buffers take beyond what each cycle does, evenly over 16 cycles.
  CHECK(at(105) - at(130) > part(summary.totals.energy_pj, Component::mac_array) / 16);
  CHECK(at(105) == Approx(at(115)));
  // Transfers by their bytes: 208 in 4 cycles, 256 in 10.
  CHECK((at(21) - at(130)) / (at(185) - at(130)) == Approx((208.0 / 4) / (256.0 / 10)));
  CHECK(power.peak_w == Approx(std::max(at(105), at(21)) * 1e-12 / 1e-9));
}

TEST_CASE("a row without intervals spends its energy from its first activity to its completion") {
  qsim::RunResult run = sample::run();
  run.timeline.layers = {0};
  run.timeline.rows = {{50, 150, 150}};
  const qsim::RunSummary summary = qsim::summarize(run, model_of(run.hardware), 1);
  const qsim::PowerProfile power = qsim::power_profile(run, summary);
  CHECK(sum_of(power.energy_pj) == Approx(summary.totals.energy_total_pj).epsilon(1e-12));
  CHECK(power.energy_pj[49] < power.energy_pj[50]);
  CHECK(power.energy_pj[149] == Approx(power.energy_pj[50]));
  CHECK(power.energy_pj[150] == Approx(power.energy_pj[49]));
}

TEST_CASE("long runs have at most 1,024 windows, and a trace shows them") {
  qsim::RunResult run = sample::run();
  run.total_cycles = 5000;
  run.layers[0].cycles = 5000;
  const qsim::RunSummary summary = qsim::summarize(run, model_of(run.hardware), 1);
  const qsim::PowerProfile power = qsim::power_profile(run, summary);
  CHECK(power.window_cycles == 5);
  CHECK(power.energy_pj.size() == 1000);
  CHECK_THAT(qsim::trace_json(run, power), Catch::Contains("power mW"));
  CHECK_THAT(qsim::trace_json(run), !Catch::Contains("power mW"));
}
