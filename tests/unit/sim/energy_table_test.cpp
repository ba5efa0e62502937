#include "sim/energy/energy_table.h"

#include <catch2/catch.hpp>

#include "base/json_reader.h"
#include "tests/unit/sim/hardware_files.h"

using Json = nlohmann::ordered_json;
using qsim::EnergyTable;
using qsim::load_energy_table;
using qsim::sram_access_pj;

namespace {

Json shipped_json() {
  return qsim::parse_json_file(QSIM_SOURCE_FOLDER "/configs/energy/45nm.json");
}

std::vector<qsim::Problem> table_problems(const Json& json) {
  const ScratchFolder folder;
  const std::string path = write_file(folder, "table.json", json.dump());
  return problems_of([&] { static_cast<void>(load_energy_table(path, {}, "chip.json")); });
}

}  // namespace

TEST_CASE("the 45 nm table has the published values") {
  const EnergyTable table = load_energy_table("45nm", shipped_energy_tables(), "chip.json");
  CHECK(table.voltage_v == 0.9);
  CHECK(table.at("int8_multiply").value == 0.2);
  CHECK(table.at("int32_multiply").value == 3.1);
  CHECK(table.at("int32_add").value == 0.1);
  CHECK(table.at("fp32_multiply").value == 3.7);
  CHECK(table.at("dram_bit").value == 8.0);
  CHECK(table.at("register_bit").value == Approx(0.009 * 45 / 40));
  CHECK(table.at("int8_multiply").source.find("Horowitz") != std::string::npos);
}

TEST_CASE("an SRAM access meets CACTI's points and lies between them elsewhere") {
  const EnergyTable table = load_energy_table("45nm", shipped_energy_tables(), "chip.json");
  const qsim::EnergyEntry& read = table.at("sram_read_64bit");
  // CACTI 7, 45 nm, 64-bit word: 64 KiB 25.8695 pJ, 128 KiB 32.2859 pJ.
  CHECK(sram_access_pj(read, 64 * 1024, 64) == Approx(25.8695));
  CHECK(sram_access_pj(read, 128 * 1024, 64) == Approx(32.2859));
  CHECK(sram_access_pj(table.at("sram_write_64bit"), 8 * 1024, 64) == Approx(7.87807).epsilon(1e-4));
  // Geometric mean at the geometric mean of the capacities: the interpolation is linear in logarithms.
  CHECK(sram_access_pj(read, 1024 * 64 * std::sqrt(2.0), 64) == Approx(std::sqrt(25.8695 * 32.2859)));
}

TEST_CASE("an SRAM access beyond the curve goes on at the slope of its end") {
  qsim::EnergyEntry curve;
  curve.points = {{1, 1}, {4, 2}, {16, 8}};  // slopes 1/2, then 1
  CHECK(sram_access_pj(curve, 256, 64) == Approx(0.5));
  CHECK(sram_access_pj(curve, 64 * 1024, 64) == Approx(32));
}

TEST_CASE("wider words cost less a bit: 0.3 + 0.7 width / 64") {
  qsim::EnergyEntry curve;
  curve.points = {{1, 10}, {2, 20}};
  CHECK(sram_access_pj(curve, 1024, 32) == Approx(6.5));
  CHECK(sram_access_pj(curve, 1024, 128) == Approx(17));
}

TEST_CASE("what a table lacks or has too much is named") {
  Json json = shipped_json();
  json["entries"].erase(0);
  CHECK(table_problems(json).at(0).expected == "an entry with the key \"int8_multiply\"");

  json = shipped_json();
  json["entries"][0]["key"] = "int8_multipli";
  CHECK(table_problems(json).at(0).hint == "did you mean \"int8_multiply\"?");

  json = shipped_json();
  json["entries"][1]["value"] = -1;
  CHECK(table_problems(json).at(0).place == "entries[1].value");

  json = shipped_json();
  json["entries"][0]["unit"] = "mW";
  CHECK(table_problems(json).at(0).expected == "one of \"pJ\"");

  json = shipped_json();
  json["entries"].push_back(json["entries"][0]);
  CHECK(table_problems(json).at(0).expected == "each key once");

  json = shipped_json();
  for (Json& entry : json["entries"]) {
    if (entry.contains("points")) std::swap(entry["points"][0], entry["points"][1]);
  }
  CHECK(table_problems(json).size() == 2);
}

TEST_CASE("a table that does not exist is the hardware file's problem") {
  const auto problems =
      problems_of([] { static_cast<void>(load_energy_table("45mn", shipped_energy_tables(), "chip.json")); });
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].file == "chip.json");
  CHECK(problems[0].place == "energy");
  CHECK(problems[0].hint == "did you mean 45nm?");
}
