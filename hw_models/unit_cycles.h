// How long each unit is at work for a report row, whatever it waits for in between: what a row could not be
// faster than, unit by unit.
#pragma once

#include <cstdint>

namespace qsim {

/// Core cycles. Units work side by side, so that these neither sum to anything nor are bounded by each other.
struct UnitCycles {
  std::int64_t array = 0;       ///< Steps that entered, as far apart as multipliers and accumulators need.
  std::int64_t array_load = 0;  ///< Lines of what stays, one a cycle.
  /// The ports of the weight and the activation buffer, for the array and the vector unit: as long as a load,
  /// or a stream, takes with them. No less than the two above where they are not what it waits for.
  std::int64_t weight_reads = 0, activation_reads = 0;
  std::int64_t output_writes = 0;  ///< The ports that requantizer and vector unit write to, partial sums too.
  /// The activation buffer's read ports again, for the adder on the way out: between the array's reads.
  std::int64_t addend_reads = 0;
  std::int64_t sum_reads = 0;    ///< The ports that bring partial sums back: slots of their own.
  std::int64_t requantizer = 0;  ///< Lanes, or reading the accumulators where that takes longer.
  std::int64_t vector_unit = 0;  ///< Lanes.

  UnitCycles& operator+=(const UnitCycles& other) {
    array += other.array;
    array_load += other.array_load;
    weight_reads += other.weight_reads;
    activation_reads += other.activation_reads;
    output_writes += other.output_writes;
    addend_reads += other.addend_reads;
    sum_reads += other.sum_reads;
    requantizer += other.requantizer;
    vector_unit += other.vector_unit;
    return *this;
  }
};

}  // namespace qsim
