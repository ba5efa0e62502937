#include "hw_models/arithmetic/block_functions.h"

#include <catch2/catch.hpp>
#include <vector>

using namespace qsim::arithmetic;

namespace {

using Row = std::vector<std::int64_t>;

Row evaluated(const BlockFunction& function, const std::vector<Row>& rows) {
  Row in;
  for (const Row& row : rows) in.insert(in.end(), row.begin(), row.end());
  Row out(rows.front().size());
  evaluate_row(function, in, out, {});
  return out;
}

BlockFunction of(BlockFunction::Kind kind, std::int64_t channels) {
  BlockFunction function;
  function.kind = kind;
  function.channels = channels;
  return function;
}

}  // namespace

TEST_CASE("blocks are aligned to the largest exponent before they are added") {
  // 96 / 64 * 2^3 = 12, and 1; 0 and -1. 13 = 104 * 2^-3, -1 = -8 * 2^-3.
  CHECK(evaluated(of(BlockFunction::Kind::sum, 2), {{96, 0, 3}, {64, -64, 0}}) == Row{104, -8, 3});
  // The exponent falls where they cancel: 12 - 11.875 = 0.125 = 64 * 2^-6 * 2^-3.
  CHECK(evaluated(of(BlockFunction::Kind::sum, 1), {{96, 3}, {-95, 3}}) == Row{64, -3});
  CHECK(evaluated(of(BlockFunction::Kind::sum, 1), {{96, 3}, {-96, 3}}) == Row{0, -127});
}

TEST_CASE("24 bits below the largest exponent are kept") {
  // 2 * 2^-6 in blocks 24 exponents below is two units: (1 + 2^-29) - 1 keeps 2^-29, of 25 a tie to the even
  // 0.
  const Row one{64, 0};
  const Row minus_one{-64, 0};
  CHECK(evaluated(of(BlockFunction::Kind::sum, 1), {one, {2, -24}, minus_one}) == Row{64, -29});
  CHECK(evaluated(of(BlockFunction::Kind::sum, 1), {one, {1, -25}, minus_one}) == Row{0, -127});
  CHECK(evaluated(of(BlockFunction::Kind::sum, 1), {one, {3, -25}, minus_one}) == Row{64, -29});
}

TEST_CASE("a maximum is a value of one of the blocks") {
  CHECK(evaluated(of(BlockFunction::Kind::maximum, 2), {{96, 0, 3}, {64, -64, 0}}) == Row{96, 0, 3});
  CHECK(evaluated(of(BlockFunction::Kind::maximum, 1), {{-96, 3}, {-64, 0}}) == Row{-64, 0});
}

TEST_CASE("a mean multiplies by a reciprocal of 16 bits") {
  // 5 * 43691 / 2^17 = 1.66668, in steps of 2^-6 106.67.
  CHECK(evaluated(of(BlockFunction::Kind::mean, 1), {{96, 1}, {64, 0}, {64, 0}}) == Row{107, 0});
  // Of a power of two exact: (127 + 126) / 2 = 126.5 is a tie, to even.
  CHECK(evaluated(of(BlockFunction::Kind::mean, 1), {{127, 0}, {126, 0}}) == Row{126, 0});
  CHECK(evaluated(of(BlockFunction::Kind::mean, 1), {{127, 127}}) == Row{127, 127});
}

TEST_CASE("an activation limits before the exponent is formed") {
  BlockFunction relu6 = of(BlockFunction::Kind::sum, 3);
  relu6.low = 0.0F;
  relu6.high = 6.0F;
  // 12, -1 and 0.25: 6 has the exponent 2, 0.25 = 4 * 2^-4.
  CHECK(evaluated(relu6, {{96, -8, 2, 3}, {0, 0, 0, -127}}) == Row{96, 0, 4, 2});
}

TEST_CASE("each block of a row has its own exponent") {
  Row a(33 + 2, 0);
  Row b(33 + 2, 0);
  a[0] = 64;   // block 0: 1
  a[33] = 64;  // block 1, channel 32: 2^5
  a[34] = 5;
  b[32] = -4;
  b[33] = 64;  // 2^-2
  b[34] = -2;
  const Row sum = evaluated(of(BlockFunction::Kind::sum, 33), {a, b});
  CHECK(sum[0] == 64);
  CHECK(sum[32] == 0);
  CHECK(sum[33] == 64);  // 32.25 = 64.5 steps of 2^-1, to even
  CHECK(sum[34] == 5);
}
