// What truly limits each row: the unit that could not do the row's work in less time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "sim/result.h"

namespace qsim {

/// What a row may be limited by; of equal ones the first.
enum class Limit : std::uint8_t {
  array,
  fill,
  weight_port,
  activation_port,
  output_port,
  dram_bandwidth,
  outstanding_requests,
  requantizer,
  vector_unit,
  dependency,
  host,
  count_
};
inline constexpr std::size_t kLimitCount = static_cast<std::size_t>(Limit::count_);

struct LimitRow {
  Limit limit{};
  std::string_view name;
  std::string_view meaning;  ///< What its cycles are.
};

/// In the order of the enumerators.
inline constexpr std::array<LimitRow, kLimitCount> kLimits{{
    {Limit::array, "array", "steps of the MAC array, as far apart as multipliers and accumulators need"},
    {Limit::fill, "fill", "lines of what stays into the PEs; without a second register, draining as well"},
    {Limit::weight_port, "weight_port", "the array's reads of the weight buffer"},
    {Limit::activation_port, "activation_port", "reads of the activation buffer by array and vector unit"},
    {Limit::output_port, "output_port", "writes of outputs to the activation buffer"},
    {Limit::dram_bandwidth, "dram_bandwidth", "whole bursts over the memory's bus"},
    {Limit::outstanding_requests, "outstanding_requests",
     "bursts, as many at a time as may be in flight, a latency each"},
    {Limit::requantizer, "requantizer", "lanes of the requantizer, or its reads of the accumulators"},
    {Limit::vector_unit, "vector_unit", "lanes of the vector unit"},
    {Limit::dependency, "dependency", "what is left: units that wait for each other"},
    {Limit::host, "host", "the host"},
}};
static_assert(is_in_order(kLimits, &LimitRow::limit));

[[nodiscard]] constexpr std::string_view limit_name(Limit limit) {
  return kLimits[static_cast<std::size_t>(limit)].name;
}

/// Of a row of `cycles` cycles, how long each unit needs for what it does in these cycles if nothing is in
/// its way. A unit that takes nearly all of them is what the row waits for; one that were twice as fast would
/// save half of its own time at most. What no unit accounts for is
///
///   dependency = cycles - max(all others)
///
/// so that it is named where the slowest unit is at work less than half of the time.
struct Limits {
  std::array<double, kLimitCount> cycles{};
  Limit limited_by = Limit::dependency;

  double& operator[](Limit limit) { return cycles[static_cast<std::size_t>(limit)]; }
  [[nodiscard]] double operator[](Limit limit) const { return cycles[static_cast<std::size_t>(limit)]; }
};

/// One a layer of the result. Of a row's transfers those count that take place in its own cycles: weights
/// that arrive while an earlier row computes limit neither of the two. Those of a row on a product's way out,
/// which takes no cycles of its own, count for the product; `limited_by` is the product's.
[[nodiscard]] std::vector<Limits> limits_of(const RunResult& result);

}  // namespace qsim
