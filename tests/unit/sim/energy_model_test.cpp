#include "sim/energy/energy_model.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <map>

#include "sim/energy/event_rates.h"
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
  // 0.2 + 0.1 + (8 + 32) * 0.0050625; their clock is a component of its own.
  CHECK(unit_pj(terms, Component::mac_array, "macs_w8a8") == Approx(0.2 + 0.1 + 40 * 0.0050625));

  run.layers[0].weight_bits = 4;
  run.hardware.accumulators.width_bits = 16;
  const auto narrow = model_of(run.hardware).terms(run);
  CHECK(unit_pj(narrow, Component::mac_array, "macs_w4a8") == Approx(0.2 * 0.5 + 0.1 * 0.5 + 24 * 0.0050625));
  CHECK(unit_pj(narrow, Component::mac_array, "weight_register_writes_w4") == Approx(4 * 0.0050625));
}

TEST_CASE("a requantization costs its profile's operations") {
  using qsim::arithmetic::RoundingProfile;
  qsim::RunResult run = sample::run();
  const double clamp = 2 * 0.033154;
  const std::vector<std::pair<RoundingProfile, double>> expected = {
      {RoundingProfile::float32, 3.7 + 0.3 + 2 * 0.46912 + clamp},
      {RoundingProfile::fixed_point_double_rounding, 3.1 + 0.3 + 0.46912 + clamp},
      {RoundingProfile::fixed_point_single_rounding, 3.1 + 0.2 + 0.46912 + clamp},
      {RoundingProfile::fixed_point_16bit_multiplier, 3.1 / 2 + 0.2 + 0.46912 + clamp},
      {RoundingProfile::power_of_two, 0.2 + 0.46912 + clamp}};
  for (const auto& [profile, pj] : expected) {
    run.layers[0].rounding_profile = profile;
    const auto terms = model_of(run.hardware).terms(run);
    CHECK(unit_pj(terms, Component::requantizer, qsim::requantization_event(profile).name()) == Approx(pj));
  }
}

TEST_CASE("a narrow multiplier takes energy in proportion, and a truncating shift adds nothing") {
  using qsim::arithmetic::RoundingProfile;
  qsim::RunResult run = sample::run();
  const double clamp = 2 * 0.033154;
  const auto cost = [&](RoundingProfile profile) {
    run.layers[0].rounding_profile = profile;
    return unit_pj(model_of(run.hardware).terms(run), Component::requantizer,
                   qsim::requantization_event(profile).name());
  };
  run.hardware.requantizer.multiplier_bits = 8;
  run.hardware.requantizer.shift_rounding = qsim::arithmetic::ShiftRounding::truncate;
  CHECK(cost(RoundingProfile::fixed_point_single_rounding) == Approx(3.1 / 4 + 0.2 + 0.46912 + clamp));
  CHECK(cost(RoundingProfile::fixed_point_16bit_multiplier) == Approx(3.1 / 4 + 0.2 + 0.46912 + clamp));
  CHECK(cost(RoundingProfile::float32) == Approx(3.7 + 0.3 + 2 * 0.46912 + clamp));
  CHECK(cost(RoundingProfile::power_of_two) == Approx(0.1 + 0.46912 + clamp));
}

TEST_CASE("a port word comes from as many banks as it has 64-bit words, over the wires between them") {
  qsim::RunResult run = sample::run();
  run.hardware.weight_buffer = {256, 16, 32, 8, true};  // 16 banks of 16 KiB
  const auto terms = model_of(run.hardware).terms(run);
  // CACTI 7, 45 nm, 16 KiB: 11.6097 pJ a read, 10.6968 pJ a write of 64 bits, 0.050742 mm2. A square of 16 of
  // them has a side of 4 sqrt(0.050742); an H-tree's way is 1 - 1/4 of it, and half of that on to the edge.
  const double wire_mm = 1.5 * 4 * std::sqrt(0.050742) * 0.75;
  CHECK(unit_pj(terms, Component::weight_buffer, "weight_buffer_reads") ==
        Approx(4 * 11.6097 + 256 * 0.12109 * wire_mm));
  CHECK(unit_pj(terms, Component::weight_buffer, "weight_buffer_writes") ==
        Approx(10.6968 + 64 * 0.12109 * wire_mm));
  run.hardware.weight_buffer.banks = 1;  // has no wires: a macro of 256 KiB
  const auto alone = model_of(run.hardware).terms(run);
  CHECK(unit_pj(alone, Component::weight_buffer, "weight_buffer_writes") == Approx(38.4949));
}

// CACTI's macro of 512 KiB takes 68.3 pJ: what banks save, wires must leave some of.
TEST_CASE("banks are not free: from 8 to 512 an access falls by less than 2.5 times, area and leakage rise") {
  qsim::RunResult run = sample::run();
  const auto with_banks = [&](std::int64_t banks) {
    run.hardware.activation_buffer.banks = banks;
    return model_of(run.hardware);
  };
  const EnergyModel few = with_banks(8);
  const EnergyModel many = with_banks(512);
  for (const std::string event : {"activation_buffer_reads", "activation_buffer_writes"}) {
    const double ratio = unit_pj(few.terms(run), Component::activation_buffer, event) /
                         unit_pj(many.terms(run), Component::activation_buffer, event);
    CHECK(ratio > 1.0);
    CHECK(ratio < 2.5);
  }
  constexpr auto kBuffer = static_cast<std::size_t>(Component::activation_buffer);
  CHECK(many.area_mm2()[kBuffer] > few.area_mm2()[kBuffer]);
  CHECK(unit_pj(many.terms(run), Component::static_power, "cycles") >
        unit_pj(few.terms(run), Component::static_power, "cycles"));
}

TEST_CASE("DRAM pays for whole bursts, its share of rows and standby, and has its own supply") {
  qsim::RunResult run = sample::run();
  run.hardware.voltage_v = 0.45;
  const auto terms = model_of(run.hardware).terms(run);
  CHECK(unit_pj(terms, Component::dram, "dram_read_bursts") == Approx(64 * 8 * 8.0).epsilon(1e-4));
  CHECK(unit_pj(terms, Component::dram, "dram_write_bursts") == Approx(64 * 8 * 8.0).epsilon(1e-4));
  CHECK(unit_pj(terms, Component::dram, "cycles") == Approx(12.8 * 3.0));  // 3 mW a GB/s for 1 ns
  run.hardware.dram.kind = qsim::DramKind::none;
  CHECK(unit_pj(model_of(run.hardware).terms(run), Component::dram, "cycles") == 0.0);
}

TEST_CASE("each memory outside the chip has entries of its own") {
  qsim::RunResult run = sample::run();
  const auto read_pj = [&](qsim::MemoryDevice device) {
    run.hardware.dram.device = device;
    return unit_pj(model_of(run.hardware).terms(run), Component::dram, "dram_read_bursts") / (64 * 8);
  };
  CHECK(read_pj(qsim::MemoryDevice::ddr3) == Approx(1300.0 / 64).epsilon(1e-4));
  CHECK(read_pj(qsim::MemoryDevice::ddr4) == Approx(15).epsilon(1e-4));
  CHECK(read_pj(qsim::MemoryDevice::lpddr5) == Approx(6).epsilon(1e-4));
  CHECK(read_pj(qsim::MemoryDevice::hbm2) == Approx(3.9).epsilon(1e-4));
  CHECK(read_pj(qsim::MemoryDevice::flash) == Approx(22));
}

TEST_CASE("dynamic energy goes with the square of the voltage, leakage with the voltage") {
  qsim::RunResult run = sample::run();
  const auto nominal = model_of(run.hardware).terms(run);
  run.hardware.voltage_v = 1.8;
  const auto doubled = model_of(run.hardware).terms(run);
  CHECK(unit_pj(doubled, Component::mac_array, "macs_w8a8") ==
        Approx(4 * unit_pj(nominal, Component::mac_array, "macs_w8a8")));
  CHECK(unit_pj(doubled, Component::weight_buffer, "weight_buffer_reads") ==
        Approx(4 * unit_pj(nominal, Component::weight_buffer, "weight_buffer_reads")));
  CHECK(unit_pj(doubled, Component::clock, "cycles") ==
        Approx(4 * unit_pj(nominal, Component::clock, "cycles")));
  CHECK(unit_pj(doubled, Component::static_power, "cycles") ==
        Approx(2 * unit_pj(nominal, Component::static_power, "cycles")));
}

// 1,024 PEs of 687.6 um2 and CACTI's areas of 16 banks of 16 KiB and 32 of as many, all at 22.95 uW / 687.6
// um2, for 1 ns.
TEST_CASE("logic and memories leak by one density, by their areas") {
  const qsim::RunResult run = sample::run();
  const auto terms = model_of(run.hardware).terms(run);
  std::map<std::string, double> parts;
  for (const EnergyTerm& term : terms) {
    if (term.component == Component::static_power) parts[term.part] += term.unit_pj;
  }
  CHECK(parts["mac_array"] == Approx(1024 * 0.02295).epsilon(1e-3));
  CHECK(parts["weight_buffer"] == Approx(16 * 0.050742 * 0.02295 / 687.6e-6).epsilon(1e-3));
  CHECK(parts["activation_buffer"] == Approx(32 * 0.050742 * 0.02295 / 687.6e-6).epsilon(1e-3));
  CHECK(parts["weight_buffer"] + parts["activation_buffer"] > parts["mac_array"] / 10);
}

// A PE of npu: two weights of 8 bits, 8 bits that move on and 32 of the sum; four stages of 32 bits in 32
// lanes of the requantizer and of the vector unit; ports of 32, 32, 64 and 64 bytes.
TEST_CASE("every register is clocked in every cycle, or where the clock is gated those that work") {
  qsim::RunResult run = sample::run();
  const auto registers = [&](const std::string& event) {
    double sum = 0.0;
    for (const EnergyTerm& term : model_of(run.hardware).terms(run)) {
      if (term.component == Component::clock && term.key == "clock_bit" && term.event.name() == event)
        sum += term.unit_pj;
    }
    return sum;
  };
  const double bits = 1024 * (16 + 8 + 32) + 2 * 32 * 4 * 32 + 8 * (32 + 32 + 64 + 64);
  CHECK(registers("cycles") == Approx(bits * 0.0050625));
  CHECK(registers("compute_cycles") == 0.0);
  run.hardware.clock_gating = true;
  CHECK(registers("cycles") == 0.0);
  CHECK(registers("compute_cycles") == Approx(1024 * (8 + 32) * 0.0050625));
  CHECK(registers("requantizations") == Approx(4 * 32 * 0.0050625));
}

TEST_CASE("the compiler's rates of a full array are the model's") {
  qsim::RunResult run = sample::run();
  run.hardware.clock_gating = true;
  const EnergyModel model = model_of(run.hardware);
  const qsim::EventRates rates = qsim::event_rates(model)({8, 8, std::nullopt});
  const auto terms = model.terms(run);
  const double mac = unit_pj(terms, Component::mac_array, "macs_w8a8") +
                     unit_pj(terms, Component::wires, "macs_w8a8") +
                     unit_pj(terms, Component::clock, "compute_cycles") / 1024;
  CHECK(rates.event_pj[static_cast<std::size_t>(Event::macs)] == Approx(mac));
}

TEST_CASE("a MAC's bits pass a PE's width, and what leaves a buffer half the chip's") {
  const qsim::RunResult run = sample::run();
  const EnergyModel model = model_of(run.hardware);
  const auto terms = model.terms(run);
  CHECK(unit_pj(terms, Component::wires, "macs_w8a8") ==
        Approx(40 * 0.12109 * std::sqrt(687.6e-6)).epsilon(1e-4));
  double cells = -model.area_mm2()[static_cast<std::size_t>(Component::wires)];
  for (const double mm2 : model.area_mm2()) cells += mm2;
  CHECK(unit_pj(terms, Component::wires, "weight_buffer_read_bytes") ==
        Approx(8 * 0.12109 * std::sqrt(cells) / 2));
}

TEST_CASE("a buffer has the energies of the curve that it names") {
  qsim::RunResult run = sample::run();
  run.hardware.weight_buffer = {256, 1, 8, 8, true};
  run.hardware.weight_buffer.curve = "mine";
  qsim::EnergyTable table = qsim::load_energy_table("45nm", shipped_energy_tables(), "");
  for (const std::string part : {"mine_read_64bit", "mine_write_64bit", "mine_area"}) {
    qsim::EnergyEntry& entry = table.entries[part];
    entry.key = part;
    entry.points = {{1, 5}, {1024, 5}};
  }
  const EnergyModel model(run.hardware, table);
  CHECK(unit_pj(model.terms(run), Component::weight_buffer, "weight_buffer_reads") == Approx(5));
  CHECK(model.area_mm2()[static_cast<std::size_t>(Component::weight_buffer)] == Approx(5));
  CHECK(unit_pj(model.terms(run), Component::activation_buffer, "activation_buffer_reads") > 50);
}

TEST_CASE("a curve that is used beyond its end is remarked, with the end and the capacity") {
  qsim::HardwareConfig chip;
  CHECK(model_of(chip).remarks().empty());
  chip.activation_buffer.capacity_kib = 1 << 20;
  chip.activation_buffer.banks = 16;
  const std::vector<std::string> remarks = model_of(chip).remarks();
  REQUIRE(remarks.size() == 3);  // reads, writes, area
  CHECK(remarks[0] ==
        "a bank of activation_buffer has 65536 KiB; curve sram_read_64bit of the energy table 45nm ends at "
        "4096 KiB and is extrapolated");
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
