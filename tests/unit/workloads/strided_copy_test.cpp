// A copy by strides against the definition, element by element.
#include "workloads/graph/strided_copy.h"

#include <catch2/catch.hpp>

#include <cstring>
#include <random>

using namespace qsim;

namespace {

/// element i of the copy = source[base + sum index_d * stride_d]
std::vector<std::byte> by_definition(const Shape& shape, std::size_t bytes, const StridedSource& source) {
  const std::vector<std::int64_t> own = row_major_strides(shape);
  const auto count = static_cast<std::size_t>(element_count(shape));
  std::vector<std::byte> out(count * bytes);
  for (std::size_t i = 0; i < count; ++i) {
    std::int64_t from = source.base;
    for (std::size_t d = 0; d < shape.size(); ++d)
      from += static_cast<std::int64_t>(i) / own[d] % shape[d] * source.strides[d];
    std::memcpy(&out[i * bytes], &source.bytes[static_cast<std::size_t>(from) * bytes], bytes);
  }
  return out;
}

void check(const Shape& shape, std::size_t bytes, const StridedSource& source) {
  std::vector<std::byte> out(static_cast<std::size_t>(element_count(shape)) * bytes);
  copy_strided(out, shape, bytes, source);
  CHECK(out == by_definition(shape, bytes, source));
}

std::vector<std::byte> counted(std::size_t size) {
  std::vector<std::byte> bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i * 2654435761U >> 13U);
  return bytes;
}

}  // namespace

TEST_CASE("a copy in another order of dimensions takes each element from where its strides say") {
  std::mt19937 random(11);
  const auto up_to = [&](std::int64_t most) {
    return std::uniform_int_distribution<std::int64_t>(1, most)(random);
  };
  for (int round = 0; round < 300; ++round) {
    const std::size_t bytes = std::size_t{1} << static_cast<unsigned>(up_to(4) - 1);
    Shape from(static_cast<std::size_t>(up_to(5)));
    for (std::int64_t& size : from) size = up_to(round % 10 == 0 ? 70 : 5);
    if (element_count(from) > 500000) continue;
    std::vector<std::size_t> order(from.size());
    for (std::size_t d = 0; d < order.size(); ++d) order[d] = d;
    std::shuffle(order.begin(), order.end(), random);
    const std::vector<std::int64_t> strides = row_major_strides(from);
    const std::vector<std::byte> data = counted(static_cast<std::size_t>(element_count(from)) * bytes);
    Shape shape;
    StridedSource source{data, {}};
    for (const std::size_t d : order) {
      shape.push_back(from[d]);
      source.strides.push_back(strides[d]);
    }
    check(shape, bytes, source);
  }
}

TEST_CASE("a copy may repeat elements, run backwards and leave elements out") {
  const std::vector<std::byte> data = counted(4 * 6 * 2);
  check({3, 4, 6}, 2, {data, {0, 6, 1}});  // Repeated in front,
  check({4, 6, 3}, 2, {data, {6, 1, 0}});  // and behind.
  check({4, 6}, 2, {data, {-6, -1}, 23});  // Backwards.
  check({2, 3}, 2, {data, {12, 2}, 7});    // Every second one.
  check({6, 4}, 2, {data, {1, 6}});        // Transposed.
  check({1, 1}, 2, {data, {5, 9}, 3});
  check({}, 2, {data, {}, 5});             // A scalar.
  check({4, 0, 6}, 2, {data, {6, 6, 1}});  // Nothing at all.
}
