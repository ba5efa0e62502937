// The table of functions of one element.
#include "workloads/ops/unary.h"

#include <array>
#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <set>

#include "tests/unit/workloads/graph_maker.h"
#include "workloads/graph/chip_support.h"

using namespace qsim;

TEST_CASE("hard-swish has the bits of ONNX Runtime's kernel") {
  // What its CPU provider (1.30.0, x86-64 with FMA) returned.
  constexpr std::array kInputs{-20.0F,    -9.5F, -3.7F, -1.25F, -0.9F, -0.1F, 0.03F, 0.5F,
                               0.921875F, 0.93F, 1.7F,  2.2F,   4.1F,  17.9F, 19.0F};
  constexpr std::array<std::uint32_t, kInputs.size()> kExpected{
      0x80000000, 0x80000000, 0x80000000, 0xbebaaaaa, 0xbea147ae, 0xbd45f92c, 0x3c7837b4, 0x3e955555,
      0x3f1a42ab, 0x3f1bf141, 0x3faa740e, 0x3ff40da8, 0x40833333, 0x418f3333, 0x41980000};
  const UnaryRow& row = unary_row(UnaryKind::hard_swish);
  for (std::size_t i = 0; i < kInputs.size(); ++i) {
    CAPTURE(kInputs[i]);
    CHECK(std::bit_cast<std::uint32_t>(row.onnx({row.kind}, kInputs[i])) == kExpected[i]);
  }
}

TEST_CASE("softsign has the bits of ONNX Runtime's kernel") {
  // What its CPU provider (1.32.0, x86-64) returned: x * (1 / (1 + |x|)).
  constexpr std::array kInputs{-20.0F,    -9.5F, -3.7F, -1.25F, -0.9F, -0.1F, 0.03F, 0.5F,
                               0.921875F, 0.93F, 1.7F,  2.2F,   4.1F,  17.9F, 19.0F};
  constexpr std::array<std::uint32_t, kInputs.size()> kExpected{
      0xbf73cf3d, 0xbf679e7a, 0xbf49882c, 0xbf0e38e4, 0xbef286bd, 0xbdba2e8b, 0x3cee9a19, 0x3eaaaaab,
      0x3ef597ef, 0x3ef6b70c, 0x3f212f68, 0x3f300000, 0x3f4dcdce, 0x3f72747c, 0x3f733333};
  const UnaryRow& row = *find_onnx_unary("Softsign");
  for (std::size_t i = 0; i < kInputs.size(); ++i) {
    CAPTURE(kInputs[i]);
    CHECK(std::bit_cast<std::uint32_t>(row.onnx({row.kind}, kInputs[i])) == kExpected[i]);
  }
}

TEST_CASE("the chip computes softsign with ONNX semantics, by a table") {
  GraphMaker maker;
  maker.graph.semantics = Semantics::onnx;
  const TensorId x = maker.add_input("x", {1, 256}, {8, true, {0.05F}, {-7}});
  maker.add_node(UnaryOp{UnaryKind::softsign}, {x}, maker.add("y", {1, 256}, {8, true, {0.008F}, {3}}));
  TensorData every_integer(ElementType::i8, {1, 256});
  for (std::int64_t i = 0; i < 256; ++i) every_integer.set(i, i - 128);
  const TensorData y = run_last_node(maker.graph, {every_integer}).output;
  for (std::int64_t i = 0; i < 256; ++i) {
    const double real = 0.05 * static_cast<double>(i - 128 + 7);
    const double steps = real / (1.0 + std::abs(real)) / 0.008 + 3.0;
    CAPTURE(i);
    CHECK(std::abs(static_cast<double>(y.at(i)) - std::min(steps, 127.0)) <= 0.5 + 1e-4);
  }
  CHECK(chip_obstacle(maker.graph, maker.graph.nodes[0]).empty());
  maker.graph.semantics = Semantics::tflite;
  CHECK(chip_obstacle(maker.graph, maker.graph.nodes[0]) ==
        "integer arithmetic with \"onnx\" semantics only");
}

TEST_CASE("a row is found by its format's name, options of one operator told apart") {
  CHECK(find_onnx_unary("HardSwish")->kind == UnaryKind::hard_swish);
  CHECK(find_onnx_unary("Gelu", "none")->kind == UnaryKind::gelu);
  CHECK(find_onnx_unary("Gelu", "tanh")->kind == UnaryKind::gelu_tanh);
  CHECK(find_onnx_unary("Gelu", "sigmoid") == nullptr);
  CHECK(find_onnx_unary("Conv") == nullptr);
  CHECK(find_onnx_unary("") == nullptr);
  CHECK(find_tflite_unary(117)->kind == UnaryKind::hard_swish);
  CHECK(find_tflite_unary(150, "tanh")->kind == UnaryKind::gelu_tanh);
  CHECK(find_tflite_unary(-1) == nullptr);
  CHECK(find_tflite_unary(3) == nullptr);  // CONV_2D
}

TEST_CASE("names, ONNX operators and TFLite operators each stand for one function") {
  std::set<std::string_view> names;
  std::set<std::pair<std::string_view, std::string_view>> onnx;
  std::set<std::pair<int, std::string_view>> tflite;
  for (const UnaryRow& row : unary_rows()) {
    CHECK(names.insert(row.name).second);
    if (!row.onnx_operator.empty()) CHECK(onnx.insert({row.onnx_operator, row.approximation}).second);
    if (row.tflite.builtin_code >= 0)
      CHECK(tflite.insert({row.tflite.builtin_code, row.approximation}).second);
    CHECK_FALSE(row.description.empty());
  }
}

TEST_CASE("a row's functions agree: float networks, ONNX Runtime's and the real one") {
  for (const UnaryRow& row : unary_rows()) {
    CAPTURE(row.name);
    const UnaryOp op{row.kind, 0.25F, 0.75F};
    for (const float x : {0.125F, 0.5F, 1.0F, 2.5F}) {
      const double real = row.math.real(op, static_cast<double>(x));
      float y = 0.0F;
      row.math.apply(op, {&x, 1}, {&y, 1});
      CHECK(std::abs(static_cast<double>(y) - real) <= 1e-6 * (1.0 + std::abs(real)));
      if (row.onnx == nullptr) continue;
      CHECK(std::abs(static_cast<double>(row.onnx(op, x)) - real) <= 1e-5 * (1.0 + std::abs(real)));
    }
  }
}
