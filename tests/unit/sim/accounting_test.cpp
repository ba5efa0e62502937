#include "sim/report/accounting.h"

#include <catch2/catch.hpp>
#include <functional>

#include "tests/unit/sim/hardware_files.h"
#include "tests/unit/sim/sample_run.h"

using qsim::Event;
using qsim::RunResult;

namespace {

/// What the checks say after `damage` to a run that closes; "" where they find nothing.
std::string violation_after(const std::function<void(RunResult&)>& damage,
                            const qsim::Graph& graph = sample::graph()) {
  RunResult run = sample::run();
  damage(run);
  const qsim::EnergyModel model(run.hardware, qsim::load_energy_table("45nm", shipped_energy_tables(), ""));
  try {
    qsim::check_accounting(run, qsim::summarize(run, model, 1), graph);
  } catch (const std::logic_error& error) {
    return error.what();
  }
  return "";
}

bool finds(const std::function<void(RunResult&)>& damage, const std::string& words) {
  const std::string violation = violation_after(damage);
  INFO(violation);
  CHECK(violation.find(words) != std::string::npos);
  return violation.find(words) != std::string::npos;
}

}  // namespace

TEST_CASE("a run whose sums close passes") {
  CHECK(violation_after([](RunResult&) {}).empty());
}

TEST_CASE("a cycle that is missing is found, wherever it is missing") {
  finds([](RunResult& run) { run.total_cycles += 1; }, "cycles of the rows against the run: 200 is not 201");
  finds([](RunResult& run) { run.layers[0].cycles_breakdown[0] -= 1; },
        "conv: cycle classes against cycles: 199 is not 200");
  finds([](RunResult& run) { run.cycles[0] -= 1; }, "cycle classes against the run: 199 is not 200");
}

TEST_CASE("an event that a row has and the run has not is found") {
  for (std::size_t i = 0; i < qsim::kEventCount; ++i) {
    finds([i](RunResult& run) { run.activity.counts[i] += 1; },
          "rows against the run: " + std::string(qsim::event_name(static_cast<Event>(i))));
  }
}

TEST_CASE("MACs are those of the graph") {
  finds(
      [](RunResult& run) {
        run.macs = run.layers[0].macs = run.activity[Event::macs] = run.layers[0].activity[Event::macs] =
            2000;
      },
      "conv: macs against the graph: 2000 is not 2048");
  finds([](RunResult& run) { run.layers[0].span_cycles = 1; },
        "conv: macs against span_cycles x peak: 2048 exceeds 1024");
}

TEST_CASE("every node is in exactly one row") {
  finds([](RunResult& run) { run.layers[0].nodes.clear(); }, "node conv is in no row");
  finds([](RunResult& run) { run.layers[0].nodes.emplace_back("conv"); },
        "node conv is in more than one row");
}

TEST_CASE("DRAM bytes fit their bursts, agree with the DMA and reach the buffers") {
  const auto change = [](Event event, std::int64_t by) {
    return [=](RunResult& run) {
      run.activity[event] += by;
      run.layers[0].activity[event] += by;
    };
  };
  CHECK(finds(change(Event::dram_read_bursts, -1), "DRAM bytes read against read bursts: 336 exceeds 320"));
  CHECK(finds(change(Event::dram_write_bursts, -1),
              "DRAM bytes written against write bursts: 256 exceeds 192"));
  CHECK(finds(change(Event::dma_bytes, 1), "DRAM bytes against DMA and host bytes: 592 is not 593"));
  CHECK(finds(change(Event::weight_buffer_write_bytes, -208 - 384), "against buffer writes"));
  CHECK(finds(change(Event::dram_read_weight_bytes, -1),
              "compulsory weight bytes against DRAM reads: 128 exceeds 127"));
  CHECK(finds(change(Event::dram_write_activation_bytes, -1),
              "compulsory output bytes against DRAM writes: 256 exceeds 255"));
}

TEST_CASE("accumulators overflow exactly where the sums do not fit") {
  finds([](RunResult& run) { run.layers[0].accumulator->overflows = 2; },
        "conv: 2 overflows of 32-bit accumulators");
  finds([](RunResult& run) { run.layers[0].accumulator_bits = 13; },
        "conv: 0 overflows of 13-bit accumulators that needed 14");
  finds([](RunResult& run) { run.layers[0].accumulator_worst_case->max = 4999; },
        "the largest sum against the worst case: 5000 exceeds 4999");
  finds([](RunResult& run) { run.layers[0].accumulator_worst_case->min = -99; },
        "the worst case against the smallest sum: -99 exceeds -100");
  finds([](RunResult& run) { run.layers[0].accumulator_bits_any_weights = 13; },
        "those of any weights: 14 exceeds 13");
}

TEST_CASE("a counter is never negative") {
  finds([](RunResult& run) { run.layers[0].activity[Event::commands] = -1; }, "conv: commands is negative");
}
