// What MACs of each precision style cost, beside published figures.
#include <catch2/catch.hpp>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "sim/energy/energy_model.h"
#include "tests/unit/sim/hardware_files.h"
#include "tests/unit/sim/sample_run.h"

using qsim::Component;
using qsim::EnergyModel;
using qsim::EnergyTerm;
using qsim::PrecisionStyle;

namespace {

/// A weight-stationary systolic array.
qsim::HardwareConfig chip_of(PrecisionStyle style, int bits, int accumulator_bits) {
  qsim::HardwareConfig chip;
  chip.mac_array.precision_style = style;
  chip.mac_array.weight_bits = chip.mac_array.activation_bits = bits;
  chip.accumulators.width_bits = accumulator_bits;
  return chip;
}

/// Of a MAC of these operands, without the clock: all entries, or one of them.
double mac_pj(const qsim::HardwareConfig& chip, const std::string& table, int weight_bits,
              int activation_bits, const std::string& key = {}) {
  qsim::RunResult run = sample::run();
  run.layers[0].weight_bits = weight_bits;
  run.layers[0].activation_bits = activation_bits;
  const EnergyModel model(chip, qsim::load_energy_table(table, shipped_energy_tables(), "chip.json"));
  const std::string event = qsim::mac_event(weight_bits, activation_bits, std::nullopt).name();
  double sum = 0.0;
  for (const EnergyTerm& term : model.terms(run)) {
    if (term.component == Component::mac_array && term.event.name() == event &&
        (key.empty() || term.key == key))
      sum += term.unit_pj;
  }
  return sum;
}

double pe_mm2(const qsim::HardwareConfig& chip) {
  const EnergyModel model(chip, qsim::load_energy_table("45nm", shipped_energy_tables(), "chip.json"));
  return model.area_mm2()[static_cast<std::size_t>(Component::mac_array)] /
         static_cast<double>(chip.mac_array.rows * chip.mac_array.columns);
}

}  // namespace

TEST_CASE("a fusion unit costs what Bit Fusion's synthesis says, whatever its bricks fuse to") {
  // Bit Fusion's repository, results/systolic_array_synth.csv, 45 nm, 16 x 1 PEs: 0.4698 pJ a cycle of a unit
  // of 8 bits down to 2, so 0.47 a MAC of 8 x 8 bits, 0.117 of 4 x 4 and 0.029 of 2 x 2; 0.2034 a PE of
  // 8 x 8 bits of fixed width. The multiplier, which does not share what the sum's width adds, has those
  // ratios.
  const auto fusion = chip_of(PrecisionStyle::bit_fusion, 8, 32);
  const auto fixed = chip_of(PrecisionStyle::fixed, 8, 32);
  CHECK(mac_pj(fusion, "45nm", 8, 8) - mac_pj(fixed, "45nm", 8, 8) == Approx(0.4698 - 0.2034));
  const double eight = mac_pj(fusion, "45nm", 8, 8, "fusion_multiply");
  CHECK(mac_pj(fusion, "45nm", 4, 4, "fusion_multiply") / eight == Approx(0.117 / 0.47).epsilon(0.01));
  CHECK(mac_pj(fusion, "45nm", 2, 2, "fusion_multiply") / eight == Approx(0.029 / 0.47).epsilon(0.02));
  // Area of a PE: 1733 um2 beside 687.6.
  CHECK(pe_mm2(fusion) == Approx(1733e-6).epsilon(0.001));
  CHECK(pe_mm2(fixed) == Approx(687.6e-6).epsilon(0.001));
}

TEST_CASE("MACs of narrow operands on fusing arrays cost the fractions that PSMA's benchmark has") {
  // KU Leuven, precision-scalable MAC arrays, 28 nm, 1 GHz, fully unrolled, fJ an operation (two a MAC), the
  // best design and the median: 8x8 389/745, 8x4 201/405, 4x4 99/206, 2x2 23/52. Sums of 20 bits in the PE:
  // what a product of 16 bits needs for 16 terms.
  const auto fusion = chip_of(PrecisionStyle::bit_fusion, 8, 20);
  const double eight = mac_pj(fusion, "28nm", 8, 8);
  const auto ratio = [&](int weight_bits, int activation_bits) {
    return mac_pj(fusion, "28nm", weight_bits, activation_bits) / eight;
  };
  CHECK(ratio(4, 8) == Approx(201.0 / 389).epsilon(0.1));
  CHECK(ratio(4, 4) == Approx(99.0 / 389).epsilon(0.1));
  CHECK(ratio(2, 2) == Approx(23.0 / 389).epsilon(0.25));
  // Without its clock and control a MAC of 8 x 8 bits is below the best whole array, and above half of it.
  CHECK(eight < 2 * 0.389);
  CHECK(eight > 0.389);
}

TEST_CASE("a bit-serial MAC costs the same multiplier and a register that shifts each cycle") {
  const auto serial = chip_of(PrecisionStyle::bit_serial_weights, 8, 32);
  const auto fixed = chip_of(PrecisionStyle::fixed, 8, 32);
  // 45nm: register_bit 0.0050625 pJ; w cycles of w + a bits.
  for (const int weight_bits : {2, 4, 8}) {
    const double more = mac_pj(serial, "45nm", weight_bits, 8) - mac_pj(fixed, "45nm", weight_bits, 8);
    CHECK(more == Approx(weight_bits * (weight_bits + 8) * 0.0050625));
  }
  CHECK(pe_mm2(serial) < pe_mm2(fixed));
}

TEST_CASE("from 8 to 4 bits a MAC falls by two to four where all of it is sized for its operands") {
  // Bit Fusion's repository, 45 nm: PEs of 8 x 8 and 4 x 4 bits take 0.2977 and 0.1202 pJ (2.48 times), in
  // columns of 16 0.2034 and 0.0794 (2.56 times). Sums of w + a + log2(1024) bits.
  const double eight = mac_pj(chip_of(PrecisionStyle::native, 8, 16 + 10), "45nm", 8, 8);
  const double four = mac_pj(chip_of(PrecisionStyle::native, 4, 8 + 10), "45nm", 4, 4);  // K = 1024
  INFO("sized for its operands " << eight / four << ", Bit Fusion's PEs 2.48 to 2.56");
  // The multiplier alone: as the product of its widths, at the upper end of what is published (2.5 to 4).
  const double eight_bits = mac_pj(chip_of(PrecisionStyle::native, 8, 32), "45nm", 8, 8, "int8_multiply");
  const double four_bits = mac_pj(chip_of(PrecisionStyle::native, 4, 32), "45nm", 4, 4, "int8_multiply");
  CHECK(eight_bits / four_bits == Approx(4.0));
  CHECK(eight / four > 2.0);
  CHECK(eight / four < 4.0);
  // The sum alone, 32 bits wide either way, keeps a MAC from falling as far.
  const double wide_eight = mac_pj(chip_of(PrecisionStyle::native, 8, 32), "45nm", 8, 8);
  const double wide_four = mac_pj(chip_of(PrecisionStyle::native, 4, 32), "45nm", 4, 4);
  INFO("with 32-bit accumulators " << wide_eight / wide_four);
  CHECK(wide_eight / wide_four < eight / four);
  CHECK(wide_eight / wide_four > 1.0);
}

TEST_CASE("a table without fusion units is refused where the chip has them") {
  const ScratchFolder folder;
  nlohmann::json table = nlohmann::json::parse(std::ifstream(QSIM_SOURCE_FOLDER "/configs/energy/45nm.json"));
  nlohmann::json rest = nlohmann::json::array();
  for (const nlohmann::json& entry : table["entries"]) {
    if (!entry["key"].get<std::string>().starts_with("fusion")) rest.push_back(entry);
  }
  table["entries"] = rest;
  auto chip = chip_of(PrecisionStyle::bit_fusion, 8, 32);
  chip.energy = write_file(folder, "own.json", table.dump());
  const auto load = [&] { static_cast<void>(qsim::chip_energy_table(chip, {}, "chip.json")); };
  const auto problems = problems_of(load);
  REQUIRE(problems.size() == 2);  // a cycle, and the area
  CHECK(problems[0].place == "precision.style");
  CHECK(problems[0].hint == R"(add one to the table, or let it extend "45nm", which has one)");
  chip.mac_array.precision_style = PrecisionStyle::fixed;
  CHECK(problems_of(load).empty());
}

TEST_CASE("the widths of fusing multipliers are powers of two") {
  const auto problems =
      hardware_problems(R"({"precision": {"style": "bit_fusion"}, "mac_array": {"weight_bits": 6}})");
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].place == "mac_array.weight_bits");
  CHECK(problems[0].expected == "one of 2, 4, 8, 16 where precision.style is bit_fusion");
  CHECK(hardware_problems(R"({"precision": {"style": "brick"}})").at(0).place == "precision.style");
}
