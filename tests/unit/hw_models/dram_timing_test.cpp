#include <catch2/catch.hpp>

#include "hw_models/memory/dram_timing.h"

namespace qsim {
namespace {

/// 64-byte bursts at 12.8 GB/s and 1 GHz: 5 cycles each on the bus.
DramConfig memory(std::int64_t outstanding) {
  DramConfig config;
  config.latency_cycles = 100;
  config.burst_bytes = 64;
  config.outstanding_requests = outstanding;
  return config;
}

TEST_CASE("a single burst is done after the latency and its bus time, not a cycle earlier") {
  DramTiming timing(memory(4), 1'000'000);
  const DramService service = timing.serve(10, 0, 64);
  CHECK(service.accepted_cycle == 10);
  CHECK(service.done_cycle == 10 + 100 + 5);
  CHECK(service.bursts == 1);
}

TEST_CASE("a request that is not aligned takes every burst that it touches") {
  DramTiming timing(memory(4), 1'000'000);
  CHECK(timing.serve(0, 63, 2).bursts == 2);
  CHECK(timing.serve(0, 64, 64).bursts == 1);
  CHECK(timing.serve(0, 1, 128).bursts == 3);
}

TEST_CASE("bursts in flight share the latency; one more than may be outstanding waits for the first") {
  DramTiming timing(memory(4), 1'000'000);
  // done(i) = 100 + 5 * (i + 1) for the first four, all requested in cycle 0.
  const DramService four = timing.serve(0, 0, 4 * 64);
  CHECK(four.accepted_cycle == 0);
  CHECK(four.done_cycle == 120);
  // The fifth is requested when the first is done (105), and its data comes a latency later.
  const DramService fifth = timing.serve(0, 256, 64);
  CHECK(fifth.accepted_cycle == 105);
  CHECK(fifth.done_cycle == 105 + 100 + 5);
}

TEST_CASE("a long transfer runs at the bandwidth when enough requests may be outstanding") {
  DramTiming timing(memory(64), 1'000'000);
  constexpr std::int64_t kBursts = 1000;
  CHECK(timing.serve(0, 0, kBursts * 64).done_cycle == 100 + 5 * kBursts);
}

TEST_CASE("data that its taker is not ready for comes when it is, and later data behind it") {
  DramTiming timing(memory(4), 1'000'000);
  CHECK(timing.serve(0, 0, 64, 105).done_cycle == 105);  // it comes then anyway
  CHECK(timing.serve(0, 64, 64, 112).done_cycle == 112);
  CHECK(timing.serve(0, 128, 64).done_cycle == 112 + 5);
}

TEST_CASE("fractions of a cycle add up exactly and round up once") {
  DramConfig config = memory(64);
  config.bandwidth_bytes_per_second = 30'000'000'000;  // 64 / 30 = 2.1333 cycles a burst
  DramTiming timing(config, 1'000'000);
  CHECK(timing.serve(0, 0, 64).done_cycle == 103);        // 100 + 2.13
  CHECK(timing.serve(0, 64, 14 * 64).done_cycle == 132);  // 100 + 15 * 64/30 = 132 exactly
}

TEST_CASE("a bandwidth without a divisor in common with the clock stays exact over long runs") {
  // 99,999.999999997 GB/s: a cycle has 99,999,999,999,997 / 64 or so ticks, 10^9 cycles more than 64 bits
  // hold.
  DramConfig config = memory(4);
  config.bandwidth_bytes_per_second = 99'999'999'999'997;
  config.latency_cycles = 1'000'000;
  DramTiming timing(config, 1'000'000);
  CHECK(timing.serve(1'000'000'000, 0, 64).done_cycle == 1'001'000'001);  // 64 bytes take 0.00064 cycles
}

}  // namespace
}  // namespace qsim
