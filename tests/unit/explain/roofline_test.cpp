#include "sim/explain/roofline.h"

#include <catch2/catch.hpp>

#include "sim/explain/roofline_json.h"
#include "sim/explain/roofline_svg.h"
#include "sim/explain/roofline_text.h"
#include "tests/unit/sim/sample_run.h"

namespace qsim {
namespace {

TEST_CASE("a layer's ceiling is the peak, or its MACs a byte at the bandwidth") {
  // 2,048 MACs in 200 cycles, 592 bytes of DRAM, 12.8 bytes a cycle, 1,024 MACs a cycle.
  RunResult run = sample::run();
  const RooflinePoint point = roofline_of(run).points[0];
  CHECK(point.macs_per_dram_byte.value() == Approx(2048.0 / 592));
  CHECK(point.ceiling_macs_per_cycle == Approx(2048.0 / 592 * 12.8));
  CHECK(point.macs_per_cycle == Approx(10.24));
  CHECK(point.ceiling_share == Approx(592 / 12.8 / 200));
  run.hardware.dram.bandwidth_bytes_per_second = 12'800'000'000'000;
  CHECK(roofline_of(run).points[0].ceiling_macs_per_cycle == 1024);
}

TEST_CASE("writes over a channel of their own add to the bandwidth") {
  RunResult run = sample::run();
  run.hardware.dram.write_bandwidth_bytes_per_second = 3'200'000'000;
  CHECK(roofline_of(run).dram_bytes_per_cycle == Approx(16));
}

TEST_CASE("a layer that moves nothing is under the peak alone") {
  RunResult run = sample::run();
  run.hardware.dram.kind = DramKind::none;
  run.layers[0].activity = {};
  const Roofline roofline = roofline_of(run);
  CHECK_FALSE(roofline.points[0].macs_per_dram_byte);
  CHECK(roofline.points[0].ceiling_macs_per_cycle == 1024);
  CHECK(roofline_json(roofline, "1")["layers"][0]["macs_per_dram_byte"].is_null());
  CHECK(roofline_text(roofline).find("no DRAM") != std::string::npos);
  CHECK(roofline_svg(roofline).find("<circle") != std::string::npos);
}

TEST_CASE("every precision has a roof, widest first; layers without MACs have no point") {
  RunResult run = sample::run();
  run.layers.insert(run.layers.begin(), sample::layer());
  run.layers[0].weight_bits = 4;
  run.layers[0].peak_macs_per_cycle = 2048;
  run.layers.push_back(sample::layer());
  run.layers[2].macs = 0;
  const Roofline roofline = roofline_of(run);
  REQUIRE(roofline.peaks.size() == 2);
  CHECK(roofline.peaks[0].weight_bits == 8);
  CHECK(roofline.peaks[1].macs_per_cycle == 2048);
  CHECK(roofline.points.size() == 2);
}

TEST_CASE("names are escaped in the picture") {
  RunResult run = sample::run();
  run.layers[0].name = "a<b>&\"c\"";
  const std::string svg = roofline_svg(roofline_of(run));
  CHECK(svg.find("a&lt;b&gt;&amp;&quot;c&quot;") != std::string::npos);
  CHECK(svg.find("a<b>") == std::string::npos);
}

}  // namespace
}  // namespace qsim
