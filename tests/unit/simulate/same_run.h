// What two runs of one network have alike.
#pragma once

#include <catch2/catch.hpp>

#include "sim/result.h"

namespace qsim::test {

/// All tensors, by name and in order, have the same bytes.
inline void check_same_values(const RunResult& a, const RunResult& b) {
  REQUIRE(a.dump.size() == b.dump.size());
  for (std::size_t i = 0; i < a.dump.size(); ++i) {
    INFO("tensor " << a.dump[i].name);
    CHECK(a.dump[i].name == b.dump[i].name);
    CHECK((a.dump[i].data.bytes == b.dump[i].data.bytes));
  }
}

/// Cycles, their causes, events, and where both have accumulators what was in them.
inline void check_same_rows(const RunResult& a, const RunResult& b) {
  CHECK(a.total_cycles == b.total_cycles);
  REQUIRE(a.layers.size() == b.layers.size());
  for (std::size_t i = 0; i < a.layers.size(); ++i) {
    const LayerResult& x = a.layers[i];
    const LayerResult& y = b.layers[i];
    INFO("layer " << x.name);
    CHECK(x.name == y.name);
    CHECK(x.cycles == y.cycles);
    CHECK(x.span_cycles == y.span_cycles);
    CHECK(x.cycles_breakdown == y.cycles_breakdown);
    CHECK(x.activity.counts == y.activity.counts);
    if (!a.values_computed || !b.values_computed) continue;
    REQUIRE(x.accumulator.has_value() == y.accumulator.has_value());
    if (!x.accumulator) continue;
    CHECK(x.accumulator->min == y.accumulator->min);
    CHECK(x.accumulator->max == y.accumulator->max);
    CHECK(x.accumulator->overflows == y.accumulator->overflows);
  }
}

inline void check_same_run(const RunResult& a, const RunResult& b) {
  check_same_values(a, b);
  check_same_rows(a, b);
}

}  // namespace qsim::test
