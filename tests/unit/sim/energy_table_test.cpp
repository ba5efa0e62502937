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
  // Accelergy's LPDDR4, 8 pJ a bit, of a row that is read whole.
  CHECK(table.at("lpddr4_read_bit").value + table.at("lpddr4_activate").value / (8 * 2048) ==
        Approx(8.0).epsilon(1e-4));
  // Aladdin's register at 40 nm, of which half is its clock's.
  CHECK(table.at("register_bit").value + table.at("clock_bit").value == Approx(0.009 * 45 / 40));
  CHECK(table.at("int8_multiply").source.find("Horowitz") != std::string::npos);
}

TEST_CASE(
    "every shipped table loads, its entries have conditions and sources, and none is inherited on chip") {
  const Json base = shipped_json();
  for (const std::string name : {"45nm", "28nm", "22nm", "16nm", "7nm"}) {
    INFO(name);
    const EnergyTable table = load_energy_table(name, shipped_energy_tables(), "chip.json");
    CHECK(table.name == name);
    for (const auto& [key, entry] : table.entries) {
      INFO(key);
      CHECK_FALSE(entry.condition.empty());
      CHECK_FALSE(entry.source.empty());
      if (entry.kind == "assumed" && entry.value > 0) CHECK(entry.source.size() > 10);
    }
    CHECK(table.at("leakage_mm2").condition.find(std::to_string(int(table.technology_nm)) + " nm") !=
          std::string::npos);
  }
}

TEST_CASE("energy and area fall from node to node") {
  const std::vector<std::string> nodes = {"45nm", "28nm", "22nm", "16nm", "7nm"};
  const std::vector<std::string> falling = {
      "int8_multiply", "int32_multiply", "int32_add",   "fp32_multiply", "register_bit", "sram_read_64bit",
      "pe_area",       "sram_area",      "leakage_mm2", "control_cycle", "int32_compare"};
  for (std::size_t i = 1; i < nodes.size(); ++i) {
    const EnergyTable before = load_energy_table(nodes[i - 1], shipped_energy_tables(), "");
    const EnergyTable table = load_energy_table(nodes[i], shipped_energy_tables(), "");
    for (const std::string& key : falling) {
      INFO(nodes[i] << " " << key);
      CHECK(qsim::curve_value(table.at(key), 65536) < qsim::curve_value(before.at(key), 65536));
    }
  }
}

TEST_CASE("the 7 nm table has Jouppi's figures, its memories as curves of their own") {
  const EnergyTable table = load_energy_table("7nm", shipped_energy_tables(), "");
  CHECK(table.at("int8_multiply").value == 0.07);
  CHECK(table.at("int32_multiply").value == 1.48);
  CHECK(table.at("int32_add").value == 0.03);
  CHECK(table.at("fp32_multiply").value == 1.31);
  const qsim::EnergyEntry& read = table.at("jouppi_read_64bit");
  CHECK(sram_access_pj(read, 8 * 1024, 64) == Approx(7.5));
  CHECK(sram_access_pj(read, 1024 * 1024, 64) == Approx(14));
}

TEST_CASE("a table that extends another has its entries, node and voltage where it has none") {
  const ScratchFolder folder;
  const std::string path = write_file(folder, "mine.json", R"({"extends": "45nm", "name": "mine", "entries": [
    {"key": "int32_add", "value": 0.05, "unit": "pJ", "kind": "measured", "source": "ours"}]})");
  const EnergyTable table = load_energy_table(path, shipped_energy_tables(), "chip.json");
  CHECK(table.name == "mine");
  CHECK(table.technology_nm == 45);
  CHECK(table.voltage_v == 0.9);
  CHECK(table.at("int32_add").value == 0.05);
  CHECK(table.at("int32_add").source == "ours");
  CHECK(table.at("int8_multiply").value == 0.2);
}

TEST_CASE("tables that extend each other are refused, naming both") {
  const ScratchFolder folder;
  write_file(folder, "a.json", R"({"extends": "b.json", "name": "a", "entries": []})");
  const std::string path =
      write_file(folder, "b.json", R"({"extends": "a.json", "name": "b", "entries": []})");
  const auto problems = problems_of([&] { static_cast<void>(load_energy_table(path, {}, "chip.json")); });
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].place == "extends");
  CHECK(problems[0].expected == "a table that does not extend this one");
}

TEST_CASE("a chip's overrides take the place of entries, and say so") {
  qsim::HardwareConfig chip;
  chip.energy_overrides = {{"int8_multiply", 0.15}, {"sram_read_64bit", 3.0}};
  const EnergyTable table = qsim::chip_energy_table(chip, shipped_energy_tables(), "chip.json");
  CHECK(table.at("int8_multiply").value == 0.15);
  CHECK(table.at("int8_multiply").kind == "override");
  CHECK(table.at("int8_multiply").source.find("0.2 pJ") != std::string::npos);
  CHECK(qsim::curve_value(table.at("sram_read_64bit"), 1024) == 3.0);
  CHECK(qsim::curve_value(table.at("sram_read_64bit"), 1 << 20) == 3.0);
}

TEST_CASE("an override of no entry and a curve that is not there name the chip's field") {
  qsim::HardwareConfig chip;
  chip.energy_overrides = {{"int8_multipli", 0.15}};
  chip.activation_buffer.curve = "edram";
  const auto problems = problems_of(
      [&] { static_cast<void>(qsim::chip_energy_table(chip, shipped_energy_tables(), "chip.json")); });
  REQUIRE(problems.size() == 2);
  CHECK(problems[0].place == "energy_overrides.int8_multipli");
  CHECK(problems[0].hint == "did you mean int8_multiply?");
  CHECK(problems[1].place == "activation_buffer.curve");
}

TEST_CASE("a curve of a user's own has reads, writes and areas") {
  Json json = shipped_json();
  json["entries"].push_back({{"key", "edram_read_64bit"},
                             {"points", {{1, 1}, {64, 8}}},
                             {"unit", "pJ"},
                             {"kind", "assumed"},
                             {"source", "a guess"}});
  const auto problems = table_problems(json);
  REQUIRE(problems.size() == 2);
  CHECK(problems[0].expected == "an entry with the key \"edram_write_64bit\"");
  CHECK(problems[1].expected == "an entry with the key \"edram_area\"");
}

TEST_CASE("a curve has ends, and what lies beyond them is known") {
  qsim::EnergyEntry curve;
  curve.points = {{1, 1}, {4, 2}};
  CHECK_FALSE(qsim::is_beyond(curve, 1024));
  CHECK_FALSE(qsim::is_beyond(curve, 4096));
  CHECK(qsim::is_beyond(curve, 1023));
  CHECK(qsim::is_beyond(curve, 4097));
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
  CHECK(table_problems(json).size() == 3);

  json = shipped_json();
  json["entries"][0].erase("unit");
  CHECK(table_problems(json).at(0).place == "entries[0].unit");
}

TEST_CASE("a table that does not exist is the hardware file's problem") {
  const auto problems =
      problems_of([] { static_cast<void>(load_energy_table("45mn", shipped_energy_tables(), "chip.json")); });
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].file == "chip.json");
  CHECK(problems[0].place == "energy");
  CHECK(problems[0].hint == "did you mean 45nm?");
}
