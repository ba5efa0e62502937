#include "hw_models/arithmetic/bit_packing.h"

#include <catch2/catch.hpp>
#include <random>
#include <vector>

using namespace qsim::arithmetic;

TEST_CASE("what is written at any bit address is read back, and the neighbours keep theirs") {
  std::mt19937_64 generator(5);
  for (int bits = 1; bits <= 33; ++bits) {
    for (const bool is_signed : {false, true}) {
      const IntegerFormat format{bits, is_signed};
      for (const std::int64_t first : {0, 1, 3, 7, 13}) {
        CAPTURE(bits, is_signed, first);
        constexpr std::int64_t kCount = 25;
        std::vector<std::byte> memory(static_cast<std::size_t>(packed_bytes(kCount + 2, bits) + 4));
        std::vector<std::int64_t> values;
        std::uniform_int_distribution<std::int64_t> value(format.min(), format.max());
        for (std::int64_t i = 0; i < kCount; ++i) {
          // One signed bit holds -1 and +1, no zero.
          values.push_back(is_signed && bits == 1 ? (i % 3 == 0 ? -1 : 1) : value(generator));
          write_bits(memory, first + i * bits, format, values.back());
        }
        values[7] = format.min();
        write_bits(memory, first + 7 * bits, format, values[7]);
        for (std::int64_t i = 0; i < kCount; ++i) {
          REQUIRE(read_bits(memory, first + i * bits, format) == values[static_cast<std::size_t>(i)]);
        }
      }
    }
  }
}

TEST_CASE("the lowest bit comes first: 4-bit 1, 2, 3 are the bytes 0x21 0x03") {
  std::vector<std::byte> memory(2);
  for (std::int64_t i = 0; i < 3; ++i) write_bits(memory, 4 * i, {4, false}, i + 1);
  CHECK(memory[0] == std::byte{0x21});
  CHECK(memory[1] == std::byte{0x03});
}

TEST_CASE("64-bit elements lie at any address") {
  std::vector<std::byte> memory(10);
  const std::int64_t value = -0x123456789ABCDEF0;
  write_bits(memory, 5, {64, true}, value);
  CHECK(read_bits(memory, 5, {64, true}) == value);
}

TEST_CASE("packed_bytes rounds up to whole bytes") {
  CHECK(packed_bytes(0, 3) == 0);
  CHECK(packed_bytes(8, 1) == 1);
  CHECK(packed_bytes(9, 1) == 2);
  CHECK(packed_bytes(3, 3) == 2);
  CHECK(packed_bytes(7, 16) == 14);
}
