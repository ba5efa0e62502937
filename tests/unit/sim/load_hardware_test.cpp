#include "sim/config/load_hardware.h"

#include <catch2/catch.hpp>

#include "sim/config/write_hardware.h"
#include "tests/unit/sim/hardware_files.h"

using qsim::hardware_to_json;
using qsim::HardwareConfig;
using qsim::load_hardware;

TEST_CASE("an empty file is the default chip, called after the file") {
  const ScratchFolder folder;
  HardwareConfig expected;
  expected.name = "chip";
  const HardwareConfig read = load_hardware(write_file(folder, "chip.json", "{}"), {}, {});
  CHECK(hardware_to_json(read) == hardware_to_json(expected));
}

TEST_CASE("every shipped configuration loads, and its resolved form reads back as the same chip") {
  for (const std::string name : {"npu", "npu_fused", "npu_large", "npu_small"}) {
    const HardwareConfig chip = load_hardware(name, {}, shipped_configs());
    CHECK(chip.name == name);
    const ScratchFolder folder;
    const std::string resolved = hardware_to_json(chip).dump(2);
    const HardwareConfig again = load_hardware(write_file(folder, "resolved.json", resolved), {}, {});
    CHECK(hardware_to_json(again).dump(2) == resolved);
  }
}

TEST_CASE("odd clocks and bandwidths survive the way through JSON to the last hertz and byte") {
  const ScratchFolder folder;
  for (const std::int64_t bytes_per_second : {1'600'000'001LL, 12'345'678'901LL, 99'999'999'999'999LL}) {
    HardwareConfig chip;
    chip.name = "chip";
    chip.clock_khz = 333'333;
    chip.dram.bandwidth_bytes_per_second = bytes_per_second;
    const HardwareConfig read =
        load_hardware(write_file(folder, "chip.json", hardware_to_json(chip).dump()), {}, {});
    CHECK(read.clock_khz == 333'333);
    CHECK(read.dram.bandwidth_bytes_per_second == bytes_per_second);
  }
}

TEST_CASE("fractions below a kilohertz or a byte a second are refused") {
  CHECK(hardware_problems(R"({"clock_mhz": 1000.0005})").at(0).place == "clock_mhz");
  CHECK(hardware_problems(R"({"clock_mhz": 1000.001})").empty());
  CHECK(hardware_problems(R"({"dram": {"bandwidth_gb_per_s": 1.6000000005}})").at(0).place ==
        "dram.bandwidth_gb_per_s");
}

TEST_CASE("a file that extends another one keeps what it does not say") {
  const ScratchFolder folder;
  write_file(folder, "base.json", R"({"extends": "npu_small", "mac_array": {"rows": 16}, "clock_mhz": 200})");
  const std::string path = write_file(
      folder, "derived.json", R"({"extends": "base.json", "clock_mhz": 250.5, "mac_array": {"columns": 4}})");
  const HardwareConfig chip = load_hardware(path, {}, shipped_configs());
  CHECK(chip.name == "derived");
  CHECK(chip.clock_khz == 250'500);
  CHECK(chip.mac_array.rows == 16);
  CHECK(chip.mac_array.columns == 4);
  CHECK(chip.dram.bandwidth_bytes_per_second == 1'600'000'000);  // npu_small's
}

TEST_CASE("a cycle of extends is named") {
  const ScratchFolder folder;
  write_file(folder, "a.json", R"({"extends": "b.json"})");
  write_file(folder, "b.json", R"({"extends": "./a.json"})");
  const auto problems = problems_of([&] { static_cast<void>(load_hardware(folder.path("a.json"), {}, {})); });
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].place == "extends");
  CHECK(problems[0].hint.find("a.json -> ") != std::string::npos);
  CHECK(problems[0].hint.find("b.json -> ") != std::string::npos);
}

TEST_CASE("overrides win over files, the later over the earlier") {
  const HardwareConfig chip =
      load_hardware("npu",
                    {"mac_array.rows=64", "mac_array.rows=48", "accumulators.overflow=saturate",
                     "dma={\"setup_cycles\": 3}", "requantizer.rounding_profile=power_of_two",
                     "mac_array.double_buffered_weights=false", "requantizer.shift_rounding=half_even",
                     "requantizer.multiplier_bits=12"},
                    shipped_configs());
  CHECK(chip.mac_array.rows == 48);
  CHECK(chip.accumulators.overflow == qsim::arithmetic::Overflow::saturate);
  CHECK(chip.dma.setup_cycles == 3);
  CHECK(chip.requantizer.rounding_profile == qsim::arithmetic::RoundingProfile::power_of_two);
  CHECK(chip.requantizer.shift_rounding == qsim::arithmetic::ShiftRounding::half_even);
  CHECK(chip.requantizer.multiplier_bits == 12);
  CHECK_FALSE(chip.mac_array.double_buffered_weights);
}

TEST_CASE("an override of a field that does not exist names the argument, the path and the nearest field") {
  const auto problems = hardware_problems("{}", {"mac_array.row=64", "capacity_mib=1"});
  REQUIRE(problems.size() == 2);
  CHECK(problems[0].file == "--set");
  CHECK(problems[0].place == "mac_array.row");
  CHECK(problems[0].value == "\"64\"");
  CHECK(problems[0].hint == "did you mean mac_array.rows?");
  CHECK(problems[1].hint == "did you mean dram.capacity_mib?");
}

TEST_CASE("problems of all files, overrides and rules come together") {
  const ScratchFolder folder;
  write_file(folder, "base.json", R"({"mac_array": {"rows": 0, "colums": 3}})");
  const std::string path = write_file(
      folder, "chip.json", R"({"extends": "base.json", "voltage_v": "low", "dram": {"burst_bytes": 48}})");
  const auto problems =
      problems_of([&] { static_cast<void>(load_hardware(path, {"accumulators.entries=1"}, {})); });
  std::vector<std::string> places;
  places.reserve(problems.size());
  for (const auto& problem : problems) places.push_back(problem.place);
  CHECK(places == std::vector<std::string>{"mac_array.rows", "mac_array.colums", "voltage_v",
                                           "accumulators.entries", "dram.burst_bytes",
                                           "dma.transaction_bytes"});
  CHECK(problems[0].file == folder.path("base.json"));
  CHECK(problems[2].file == path);
  CHECK(problems[3].file == "--set");
}

TEST_CASE("a rule of the shift that is none, and multipliers of other widths, are refused") {
  const auto problems =
      hardware_problems(R"({"requantizer": {"shift_rounding": "half", "multiplier_bits": 7}})",
                        {"requantizer.multiplier_bits=33"});
  std::vector<std::string> places;
  for (const auto& problem : problems) places.push_back(problem.place);
  CHECK(places == std::vector<std::string>{"requantizer.shift_rounding", "requantizer.multiplier_bits",
                                           "requantizer.multiplier_bits"});
}

TEST_CASE("rules between fields") {
  const auto first_place = [](const std::string& text) {
    const auto problems = hardware_problems(text);
    return problems.empty() ? std::string("none") : problems[0].place;
  };
  CHECK(first_place(R"({"accumulators": {"width_bits": 15}})") == "accumulators.width_bits");
  CHECK(first_place(R"({"accumulators": {"width_bits": 16}})") == "none");
  CHECK(first_place(R"({"accumulators": {"entries": 1}})") == "accumulators.entries");
  CHECK(first_place(R"({"accumulators": {"entries": 1, "double_buffered": false}})") == "none");
  CHECK(first_place(R"({"weight_buffer": {"capacity_kib": 1, "read_port_bytes": 513}})") ==
        "weight_buffer.read_port_bytes");
  CHECK(first_place(R"({"weight_buffer": {"capacity_kib": 1, "read_port_bytes": 512}})") == "none");
  CHECK(first_place(R"({"activation_buffer": {"banks": 3}})") == "activation_buffer.banks");
  CHECK(first_place(R"({"dma": {"transaction_bytes": 100}})") == "dma.transaction_bytes");
  CHECK(first_place(R"({"dma": {"transaction_bytes": 100}, "dram": {"kind": "none"}})") == "none");
  CHECK(first_place(R"({"requantizer": {"fused_add": true}})") == "none");
  CHECK(first_place(R"({"requantizer": {"fused_add": true, "writes_through": true}})") ==
        "requantizer.fused_add");
  CHECK(first_place(R"({"requantizer": {"fused_pool": true, "pool_line_bytes": 64}})") == "none");
  CHECK(first_place(R"({"requantizer": {"fused_pool": true, "writes_through": true}})") ==
        "requantizer.fused_pool");
  CHECK(first_place(R"({"requantizer": {"pool_line_bytes": 0}})") == "requantizer.pool_line_bytes");
  CHECK(first_place(R"({"activation_buffer": {"line_buffer": true}})") == "none");
  const std::string buffered = R"("activation_buffer": {"line_buffer": true})";
  CHECK(first_place(R"({"mac_array": {"dataflow": "output_stationary"}, )" + buffered + "}") ==
        "activation_buffer.line_buffer");
  CHECK(first_place(R"({"mac_array": {"dataflow": "output_stationary", "organization": "dot_product"}, )" +
                    buffered + "}") == "none");
  CHECK(first_place(R"({"dma": {"line_gap_cycles": 1}})") == "dma.line_gap_cycles");
  CHECK(first_place(R"({"dma": {"line_gap_cycles": 1, "pixel_granule_bytes": 1024}})") == "none");
  CHECK(first_place(R"({"dram": {"write_bandwidth_gb_per_s": 0.0009}})") == "dram.write_bandwidth_gb_per_s");
  CHECK(first_place(R"({"dram": {"write_bandwidth_gb_per_s": 0.001}})") == "none");
}

TEST_CASE("a path to an energy table is relative to the file that names it") {
  const ScratchFolder folder;
  const std::string path = write_file(folder, "chip.json", R"({"energy": "tables/mine.json"})");
  CHECK(load_hardware(path, {}, {}).energy == folder.path("tables/mine.json"));
  CHECK(load_hardware(path, {"energy=other.json"}, {}).energy == "other.json");
  CHECK(load_hardware(path, {"energy=45nm"}, {}).energy == "45nm");
}
