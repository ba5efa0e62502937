#include "sim/energy/energy_model.h"

#include <catch2/catch.hpp>

#include "tests/unit/sim/hardware_files.h"
#include "tests/unit/sim/sample_run.h"

using qsim::Component;
using qsim::EnergyModel;
using qsim::EnergyTerm;
using qsim::Event;

// A term is for something that is counted: no text names an event.
static_assert(!std::is_constructible_v<qsim::ShownEvent, const char*>);
static_assert(!std::is_constructible_v<qsim::ShownEvent, std::string>);
static_assert(std::is_constructible_v<qsim::ShownEvent, Event>);

namespace {

EnergyModel model_of(const qsim::HardwareConfig& hardware) {
  return {hardware, qsim::load_energy_table("45nm", shipped_energy_tables(), "chip.json")};
}

/// Sum of the terms of one event of one component.
double unit_pj(const std::vector<EnergyTerm>& terms, Component component, const std::string& event) {
  double sum = 0.0;
  for (const EnergyTerm& term : terms) {
    if (term.component == component && term.event.name() == event) sum += term.unit_pj;
  }
  return sum;
}

}  // namespace

TEST_CASE("a MAC is a multiply by the product of the widths, an add and the registers that move") {
  qsim::RunResult run = sample::run();
  const auto terms = model_of(run.hardware).terms(run);
  // 0.2 + 0.1 + (8 + 32) * 0.010125
  CHECK(unit_pj(terms, Component::mac_array, "macs_w8a8") == Approx(0.2 + 0.1 + 40 * 0.010125));

  run.layers[0].weight_bits = 4;
  run.hardware.accumulators.width_bits = 16;
  const auto narrow = model_of(run.hardware).terms(run);
  CHECK(unit_pj(narrow, Component::mac_array, "macs_w4a8") == Approx(0.2 * 0.5 + 0.1 * 0.5 + 24 * 0.010125));
  CHECK(unit_pj(narrow, Component::mac_array, "weight_register_writes_w4") == Approx(4 * 0.010125));
}

TEST_CASE("a requantization costs its profile's operations") {
  using qsim::arithmetic::RoundingProfile;
  qsim::RunResult run = sample::run();
  const double clamp = 2 * 0.0332;
  const std::vector<std::pair<RoundingProfile, double>> expected = {
      {RoundingProfile::float32, 3.7 + 0.3 + 2 * 0.469 + clamp},
      {RoundingProfile::fixed_point_double_rounding, 3.1 + 0.3 + 0.469 + clamp},
      {RoundingProfile::fixed_point_single_rounding, 3.1 + 0.2 + 0.469 + clamp},
      {RoundingProfile::fixed_point_16bit_multiplier, 3.1 / 2 + 0.2 + 0.469 + clamp},
      {RoundingProfile::power_of_two, 0.2 + 0.469 + clamp}};
  for (const auto& [profile, pj] : expected) {
    run.layers[0].rounding_profile = profile;
    const auto terms = model_of(run.hardware).terms(run);
    CHECK(unit_pj(terms, Component::requantizer, qsim::requantization_event(profile).name()) == Approx(pj));
  }
}

TEST_CASE("a narrow multiplier takes energy in proportion, and a truncating shift adds nothing") {
  using qsim::arithmetic::RoundingProfile;
  qsim::RunResult run = sample::run();
  const double clamp = 2 * 0.0332;
  const auto cost = [&](RoundingProfile profile) {
    run.layers[0].rounding_profile = profile;
    return unit_pj(model_of(run.hardware).terms(run), Component::requantizer,
                   qsim::requantization_event(profile).name());
  };
  run.hardware.requantizer.multiplier_bits = 8;
  run.hardware.requantizer.shift_rounding = qsim::arithmetic::ShiftRounding::truncate;
  CHECK(cost(RoundingProfile::fixed_point_single_rounding) == Approx(3.1 / 4 + 0.2 + 0.469 + clamp));
  CHECK(cost(RoundingProfile::fixed_point_16bit_multiplier) == Approx(3.1 / 4 + 0.2 + 0.469 + clamp));
  CHECK(cost(RoundingProfile::float32) == Approx(3.7 + 0.3 + 2 * 0.469 + clamp));
  CHECK(cost(RoundingProfile::power_of_two) == Approx(0.1 + 0.469 + clamp));
}

TEST_CASE("a port word comes from as many banks as it has 64-bit words") {
  qsim::RunResult run = sample::run();
  run.hardware.weight_buffer = {256, 16, 32, 8, true};  // 16 banks of 16 KiB
  const auto terms = model_of(run.hardware).terms(run);
  // CACTI 7, 45 nm, 16 KiB: 11.6097 pJ a read, 10.6968 pJ a write of 64 bits.
  CHECK(unit_pj(terms, Component::weight_buffer, "weight_buffer_reads") == Approx(4 * 11.6097));
  CHECK(unit_pj(terms, Component::weight_buffer, "weight_buffer_writes") == Approx(10.6968));
}

TEST_CASE("DRAM pays for whole bursts and has its own supply") {
  qsim::RunResult run = sample::run();
  run.hardware.voltage_v = 0.45;
  const auto terms = model_of(run.hardware).terms(run);
  CHECK(unit_pj(terms, Component::dram, "dram_read_bursts") == Approx(64 * 8 * 8.0));
  CHECK(unit_pj(terms, Component::dram, "dram_write_bursts") == Approx(64 * 8 * 8.0));
}

TEST_CASE("dynamic energy goes with the square of the voltage, leakage with the voltage and the time") {
  qsim::RunResult run = sample::run();
  const auto nominal = model_of(run.hardware).terms(run);
  run.hardware.voltage_v = 1.8;
  const auto doubled = model_of(run.hardware).terms(run);
  CHECK(unit_pj(doubled, Component::mac_array, "macs_w8a8") ==
        Approx(4 * unit_pj(nominal, Component::mac_array, "macs_w8a8")));
  CHECK(unit_pj(doubled, Component::weight_buffer, "weight_buffer_reads") ==
        Approx(4 * unit_pj(nominal, Component::weight_buffer, "weight_buffer_reads")));
  CHECK(unit_pj(doubled, Component::static_power, "cycles") ==
        Approx(2 * unit_pj(nominal, Component::static_power, "cycles")));

  // 1024 PEs * 0.02295 mW + SRAM (256 + 512 + 32 * 2048 * 4 / 1024 KiB) * 2.438e-5 mW + 5 mW, 1 ns a cycle.
  CHECK(unit_pj(nominal, Component::static_power, "cycles") ==
        Approx(1024 * 0.02295 + (768 + 256) * 2.438e-5 + 5.0));
}

TEST_CASE("every term names an entry of the table with its kind and source") {
  qsim::RunResult run = sample::run();
  const EnergyModel model = model_of(run.hardware);
  for (const EnergyTerm& term : model.terms(run)) {
    CHECK(model.table().at(term.key).source == term.source);
    CHECK(model.table().at(term.key).kind == term.kind);
    CHECK(term.unit_pj > 0.0);
  }
}

TEST_CASE("the energy of the counts is the sum of events times unit energies") {
  const std::vector<EnergyTerm> terms = {{Component::dma, Event::dma_bytes, 0.5, "", "", ""},
                                         {Component::dma, Event::dma_requests, 2.0, "", "", ""},
                                         {Component::dram, Event::dma_bytes, 4.0, "", "", ""}};
  const qsim::EnergyBreakdown energy =
      qsim::energy_of({{"dma_bytes", 10}, {"dma_requests", 1}, {"commands", 99}}, terms);
  CHECK(energy[static_cast<std::size_t>(Component::dma)] == 7.0);
  CHECK(energy[static_cast<std::size_t>(Component::dram)] == 40.0);
  CHECK(qsim::total_pj(energy) == 47.0);
}

TEST_CASE("a row that counts MACs has bit widths") {
  qsim::LayerResult layer = sample::layer();
  layer.weight_bits = 0;
  CHECK_THROWS_AS(qsim::layer_events(layer), std::logic_error);
}
