#include "sim/report/limits.h"

#include <catch2/catch.hpp>

#include <fstream>
#include <iterator>

#include "tests/unit/sim/sample_run.h"

namespace qsim {
namespace {

/// Two rows of 200 cycles each; 64-byte bursts take 5 cycles and have a latency of 100.
RunResult two_rows() {
  RunResult run = sample::run();
  run.layers.push_back(sample::layer());
  run.timeline.rows = {{0, 200, 200}, {200, 400, 400}};
  run.timeline.completions = {{0, 200, 0}, {200, 400, 1}};
  run.timeline.layers = {0, 1};
  for (LayerResult& layer : run.layers) {
    layer.activity = {};
    layer.cycles_breakdown = {};
    layer.activity[Event::dram_read_weight_bytes] = 640;
    layer.activity[Event::dram_read_bursts] = 20;  // twice as much as payload
  }
  return run;
}

TEST_CASE("of a row's transfers those in its own cycles count, in whole bursts") {
  RunResult run = two_rows();
  // Weights of the second row: a quarter of their time lies in the first one.
  run.timeline.intervals = {{150, 350, 1, Span::weights_busy, 640}};
  const std::vector<Limits> limits = limits_of(run);
  CHECK(limits[0][Limit::dram_bandwidth] == 0);
  CHECK(limits[1][Limit::dram_bandwidth] == Approx(15 * 5));
}

TEST_CASE("the parts of a row that is executed in parts add up") {
  RunResult run = two_rows();
  run.timeline.parts = 2;
  run.timeline.rows = {{0, 100, 100}, {100, 200, 200}, {200, 300, 300}, {300, 400, 400}};
  run.timeline.completions = {{0, 100, 0}, {100, 200, 1}, {200, 300, 2}, {300, 400, 3}};
  // Of 640 bytes each: the first row's first part all, its second one half.
  run.timeline.intervals = {{0, 100, 0, Span::weights_busy, 640}, {150, 250, 2, Span::weights_busy, 640}};
  CHECK(limits_of(run)[0][Limit::dram_bandwidth] == Approx((20 + 10) * 5));
  CHECK(limits_of(run)[1][Limit::dram_bandwidth] == 0);
}

TEST_CASE("bursts in flight take a latency each") {
  RunResult run = two_rows();
  run.timeline.intervals = {{0, 200, 0, Span::weights_busy, 640}};
  run.hardware.dram.outstanding_requests = 10;
  CHECK(limits_of(run)[0][Limit::outstanding_requests] == Approx(20 * 105 / 10));
  CHECK(limits_of(run)[0].limited_by == Limit::outstanding_requests);
}

TEST_CASE("writes of a channel of their own take its time, the slower channel counts") {
  RunResult run = two_rows();
  run.layers[0].activity[Event::dram_write_activation_bytes] = 640;
  run.layers[0].activity[Event::dram_write_bursts] = 10;
  run.timeline.intervals = {{0, 200, 0, Span::weights_busy, 640}, {0, 200, 0, Span::stores_busy, 640}};
  CHECK(limits_of(run)[0][Limit::dram_bandwidth] == Approx((20 + 10) * 5));
  run.hardware.dram.write_bandwidth_bytes_per_second = 1'280'000'000;
  CHECK(limits_of(run)[0][Limit::dram_bandwidth] == Approx(10 * 50));
}

TEST_CASE("the slowest unit limits, of equal ones the first; less than half of the time it is dependency") {
  RunResult run = two_rows();
  UnitCycles& units = run.layers[0].unit_cycles;
  units.requantizer = 99;
  CHECK(limits_of(run)[0].limited_by == Limit::dependency);
  units.requantizer = 100;
  CHECK(limits_of(run)[0].limited_by == Limit::requantizer);
  CHECK(limits_of(run)[0][Limit::dependency] == Approx(100));
  units.activation_reads = 100;
  CHECK(limits_of(run)[0].limited_by == Limit::activation_port);
  units.array = 100;
  CHECK(limits_of(run)[0].limited_by == Limit::array);
}

TEST_CASE(
    "an addend's reads are no limit where they are fewer than steps that the ports hold up for them alone") {
  RunResult run = two_rows();
  UnitCycles& units = run.layers[0].unit_cycles;
  units.array = 120;
  units.addend_reads = 60;
  units.activation_reads = 120 + 60;  // twice the ports: 120 + 30
  CHECK(limits_of(run)[0][Limit::activation_port] == Approx(120));
  CHECK(limits_of(run)[0].limited_by == Limit::array);
  units.addend_reads = 130;
  CHECK(limits_of(run)[0].limited_by == Limit::activation_port);
  units.addend_reads = 60;
  units.activation_reads = 120 + 60 + 1;  // a step takes more than the multipliers
  CHECK(limits_of(run)[0][Limit::activation_port] == Approx(181));
  CHECK(limits_of(run)[0].limited_by == Limit::activation_port);
}

TEST_CASE("filling is what nothing hides, and draining where there is one register") {
  RunResult run = two_rows();
  LayerResult& layer = run.layers[0];
  layer.cycles_breakdown[static_cast<std::size_t>(CycleClass::compute)] = 90;
  layer.cycles_breakdown[static_cast<std::size_t>(CycleClass::fill_drain)] = 20;
  layer.cycles_breakdown[static_cast<std::size_t>(CycleClass::weight_load)] = 10;
  layer.unit_cycles.array = 30;
  layer.unit_cycles.array_load = 25;
  CHECK(limits_of(run)[0][Limit::fill] == 30);
  layer.unit_cycles.array_load = 35;
  CHECK(limits_of(run)[0][Limit::fill] == 35);
  run.hardware.mac_array.double_buffered_weights = false;
  CHECK(limits_of(run)[0][Limit::fill] == 20 + 10 + 90 - 30);
}

TEST_CASE("docs/report.md lists every limit") {
  std::ifstream file(QSIM_SOURCE_FOLDER "/docs/report.md");
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  for (const LimitRow& row : kLimits)
    CHECK(text.find("| `" + std::string(row.name) + "` |") != std::string::npos);
}

}  // namespace
}  // namespace qsim
