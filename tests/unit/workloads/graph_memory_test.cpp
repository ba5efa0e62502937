#include "workloads/graph/graph_memory.h"

#include <catch2/catch.hpp>

#include "base/error.h"
#include "tests/unit/workloads/graph_maker.h"

using namespace qsim;

namespace {

/// x -> a -> b -> c, 1,000 bytes each, with x read again by c.
GraphMaker chain() {
  GraphMaker maker;
  const TensorId x = maker.add_input("x", {1, 1000});
  const TensorId a = maker.add("a", {1, 1000});
  const TensorId b = maker.add("b", {1, 1000});
  const TensorId c = maker.add("c", {1, 1000});
  maker.add_node(UnaryOp{UnaryKind::relu}, {x}, a);
  maker.add_node(UnaryOp{UnaryKind::relu}, {a}, b);
  maker.add_node(BinaryOp{BinaryKind::add}, {x, b}, c);
  return maker;
}

}  // namespace

TEST_CASE("activations count while they are alive, and all of them where they are kept") {
  const GraphMaker maker = chain();
  CHECK(activation_bytes(maker.graph, false) == 3'000);  // x, a, b; then x, b, c
  CHECK(activation_bytes(maker.graph, true) == 4'000);
}

TEST_CASE("weights count as they are stored, packed, and once more while they are packed") {
  GraphMaker maker;
  const TensorId x = maker.add_input("x", {1, 10});
  const TensorId w = maker.add_constant("w", {20, 10});
  const TensorId y = maker.add("y", {1, 20});
  maker.add_node(FullyConnectedOp{}, {x, w}, y);
  CHECK(constant_bytes(maker.graph) == 200 + 4 * 200 + 4 * 200);
}

TEST_CASE("tables of 16-bit operations count with 65,536 entries") {
  GraphMaker maker;
  const TensorOptions wide{16, true, {0.1F}, {0}};
  const TensorId x = maker.add_input("x", {1, 4}, wide);
  const TensorId y = maker.add("y", {1, 4}, wide);
  maker.add_node(UnaryOp{UnaryKind::relu}, {x}, y);
  CHECK(table_bytes(maker.graph) == 4 * 4 * 65'536);
}

TEST_CASE("a run within the limit passes; a byte more is refused with what to do") {
  const Graph graph = chain().graph;
  CHECK_NOTHROW(check_run_bytes(graph, kMaxRunBytes, "values", "less"));
  try {
    check_run_bytes(graph, kMaxRunBytes + 1, "values", "less");
    FAIL("accepted");
  } catch (const InputError& error) {
    CHECK(error.problems()[0].place == "values");
    CHECK(error.problems()[0].value == "8589934593 bytes of memory");
    CHECK(error.problems()[0].hint == "less");
  }
}
