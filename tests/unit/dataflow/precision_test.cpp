// What a PE of each precision style does in a cycle.
#include <catch2/catch.hpp>

#include "hw_models/dataflow/precision_style.h"
#include "tests/unit/dataflow/dataflow_cases.h"

namespace qsim {
namespace {

MacArrayConfig array_of(PrecisionStyle style, int weight_bits = 8, int activation_bits = 8) {
  MacArrayConfig array;
  array.rows = array.columns = 1;
  array.precision_style = style;
  array.weight_bits = weight_bits;
  array.activation_bits = activation_bits;
  return array;
}

/// Products of a PE in a cycle.
double macs_per_cycle(const MacArrayConfig& array, int weight_bits, int activation_bits) {
  return static_cast<double>(array.macs_a_pe(weight_bits, activation_bits)) /
         static_cast<double>(array.cycles_per_mac(weight_bits, activation_bits));
}

TEST_CASE("the rows of precision styles are in the order of the enumerators") {
  const auto rows = precision_table();
  for (std::size_t i = 0; i < rows.size(); ++i) CHECK(static_cast<std::size_t>(rows[i].style) == i);
}

TEST_CASE("a fusion unit of 8 x 8 bits makes the products that Bit Fusion states") {
  // H. Sharma et al., Bit Fusion, ISCA 2018: 16 bricks of 2 x 2 bits are one multiplier of 8 x 8, two of
  // 8 x 4, four of 4 x 4 or of 8 x 2, 16 of 2 x 2; wider operands take several cycles, four of 16 x 16.
  const MacArrayConfig array = array_of(PrecisionStyle::bit_fusion);
  CHECK(macs_per_cycle(array, 8, 8) == 1.0);
  CHECK(macs_per_cycle(array, 4, 8) == 2.0);
  CHECK(macs_per_cycle(array, 8, 4) == 2.0);
  CHECK(macs_per_cycle(array, 4, 4) == 4.0);
  CHECK(macs_per_cycle(array, 2, 8) == 4.0);
  CHECK(macs_per_cycle(array, 2, 2) == 16.0);
  CHECK(macs_per_cycle(array, 16, 8) == 0.5);
  CHECK(macs_per_cycle(array, 16, 16) == 0.25);
  CHECK(macs_per_cycle(array, 16, 2) == 2.0);
  // What lies between rides on the next wider multiplier, and a bit on one of two bits.
  CHECK(macs_per_cycle(array, 3, 4) == 4.0);
  CHECK(macs_per_cycle(array, 1, 1) == 16.0);
  CHECK(macs_per_cycle(array, 5, 8) == 1.0);
}

TEST_CASE("a bit-serial multiplier takes a cycle for each bit of its serial operand") {
  const MacArrayConfig weights = array_of(PrecisionStyle::bit_serial_weights);
  CHECK(weights.cycles_per_mac(8, 8) == 8);
  CHECK(weights.cycles_per_mac(2, 8) == 2);
  CHECK(weights.cycles_per_mac(1, 4) == 1);
  CHECK(weights.cycles_per_mac(3, 16) == 6);  // activations in two pieces
  const MacArrayConfig activations = array_of(PrecisionStyle::bit_serial_activations);
  CHECK(activations.cycles_per_mac(8, 5) == 5);
  CHECK(activations.cycles_per_mac(16, 5) == 10);
}

TEST_CASE("fixed and native multipliers make one product at most") {
  for (const PrecisionStyle style : {PrecisionStyle::fixed, PrecisionStyle::native}) {
    const MacArrayConfig array = array_of(style);
    CHECK(macs_per_cycle(array, 8, 8) == 1.0);
    CHECK(macs_per_cycle(array, 2, 2) == 1.0);
    CHECK(macs_per_cycle(array, 9, 8) == 0.5);
  }
}

TEST_CASE("products that a PE makes at once are neighbours in the reduction, in every dataflow") {
  for (MacArrayConfig array : test::all_arrays(4, 4)) {
    INFO(test::name_of(array));
    array.precision_style = PrecisionStyle::bit_fusion;
    const DataflowModel& dataflow = dataflow_model(array);
    PassShape pass = test::pass_of(2, 13, 2, array);
    pass.weight_bits = pass.activation_bits = 4;
    pass.macs_a_pe = array.macs_a_pe(4, 4);
    REQUIRE(pass.macs_a_pe == 4);
    const ArrayExtent extent = dataflow.extent(array, 4, 4);
    pass.chunks = ChunkCut(13, extent.rows);
    CHECK(dataflow.peak_macs_per_cycle(array, 4, 4) == 64);
    CHECK(dataflow.fill_cycles(array) == (dataflow.stays() == Stays::sums ? 0 : 4));
    if (dataflow.reduces_along_rows()) {
      CHECK(extent.rows == 16);  // 13 elements fit at once
    } else {
      CHECK(extent.rows == 4);
      CHECK(dataflow.steps(pass) == 4);  // 4 + 4 + 4 + 1
      CHECK(dataflow.step(pass, 3).k == IndexRange{12, 13});
    }
  }
}

TEST_CASE("a chain of PEs that make four products at once is a quarter as long") {
  MacArrayConfig array;
  array.rows = 8;
  array.columns = 4;
  array.precision_style = PrecisionStyle::bit_fusion;
  const DataflowModel& dataflow = dataflow_model(array);
  PassShape pass = test::pass_of(10, 13, 3, array);
  pass.macs_a_pe = 4;
  // The last of 10 steps enters in cycle 9 and is at row ceil(13/4) - 1 = 3, column 2 after 5 more; its sum
  // has left all 8 rows and 4 columns 10 cycles after it entered.
  const PassCycles cycles = dataflow.timing(array, pass, test::even_stream(dataflow, pass, 1), 1);
  CHECK(cycles.compute_cycles == 9 + 5 + 1);
  CHECK(cycles.drain_cycles == 9 + 10 + 1);
}

}  // namespace
}  // namespace qsim
