// The table of operations.
#include "workloads/ops/definition.h"

#include <catch2/catch.hpp>
#include <set>

#include "tests/unit/workloads/graph_maker.h"
#include "workloads/graph/liveness.h"

using namespace qsim;

TEST_CASE("every operation has a row of its own, and every name leads to it") {
  CHECK(definitions().size() == std::variant_size_v<Op>);
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < definitions().size(); ++i) {
    const OpDefinition& row = *definitions()[i];
    REQUIRE_FALSE(row.forms.empty());
    CHECK(row.check != nullptr);
    for (const OpForm& form : row.forms) {
      CAPTURE(form.name);
      CHECK(form.prototype.index() == i);
      CHECK(&definition(form.prototype) == &row);
      CHECK(find_form(form.name) == &form);
      CHECK(names.insert(form.name).second);
      CHECK_FALSE(form.description.empty());
    }
    CHECK((row.form == nullptr) == (row.forms.size() == 1));
  }
  CHECK(op_names().size() == names.size());
  CHECK(find_form("convolve") == nullptr);
}

TEST_CASE("an operation runs somewhere: on the MAC array, the vector unit or the host") {
  for (const OpDefinition* row : definitions()) {
    CAPTURE(row->forms[0].name);
    if (row->engine == Engine::mac_array) {
      CHECK(row->geometry != nullptr);
    } else {
      CHECK((row->function != nullptr || row->run_float != nullptr));
    }
  }
}

TEST_CASE("a depthwise convolution is told apart by its groups") {
  GraphMaker maker;
  const TensorId x = maker.add_input("x", {1, 2, 2, 4});
  Conv2dOp op;
  op.groups = 4;
  maker.add_node(op, {x, maker.add_constant("w", {4, 1, 1, 1})}, maker.add("y", {1, 2, 2, 4}));
  CHECK(op_name(maker.graph, maker.graph.nodes[0]) == "depthwise_conv2d");
  std::get<Conv2dOp>(maker.graph.nodes[0].op).groups = 2;
  CHECK(op_name(maker.graph, maker.graph.nodes[0]) == "conv2d");
}

TEST_CASE("rows say whose grid the output has") {
  const Op average = Pool2dOp{PoolKind::average};
  CHECK(output_grid(average, Semantics::tflite) == OutputGrid::kept);
  CHECK(output_grid(average, Semantics::onnx) == OutputGrid::own);
  CHECK(output_grid(Pool2dOp{PoolKind::max}, Semantics::onnx) == OutputGrid::kept);
  CHECK(output_grid(UnaryOp{UnaryKind::relu6}, Semantics::onnx) == OutputGrid::follows);
  CHECK(output_grid(UnaryOp{UnaryKind::exp}, Semantics::onnx) == OutputGrid::own);
  CHECK(output_grid(BinaryOp{BinaryKind::max}, Semantics::tflite) == OutputGrid::compared);
  CHECK(output_grid(BinaryOp{BinaryKind::max}, Semantics::onnx) == OutputGrid::own);
  CHECK(keeps_integers(ResizeOp{ResizeMode::nearest}, Semantics::onnx));
  ResizeOp reals;
  reals.mode = ResizeMode::linear;
  reals.blend = ResizeBlend::reals;
  CHECK_FALSE(keeps_integers(reals, Semantics::onnx));
  CHECK(keeps_integers(reals, Semantics::tflite));
}

TEST_CASE("TFLite's fixed grids: 1/256 from -128, with a sign 1/128, of 16 bits 1/32768") {
  const auto grid = [](const Op& op, int bits) { return tflite_fixed_grid(*value_range(op), bits); };
  CHECK(grid(SoftmaxOp{}, 8).scale() == 0.00390625F);
  CHECK(grid(SoftmaxOp{}, 8).zero_point() == -128);
  CHECK(grid(UnaryOp{UnaryKind::tanh}, 8).scale() == 0.0078125F);
  CHECK(grid(UnaryOp{UnaryKind::tanh}, 8).zero_point() == 0);
  CHECK(grid(UnaryOp{UnaryKind::logistic}, 16).scale() == 0.000030517578125F);
  CHECK_FALSE(value_range(SoftmaxOp{1.0F, true}).has_value());  // A logarithm has no lower limit.
  CHECK_FALSE(value_range(UnaryOp{UnaryKind::relu}).has_value());
}

TEST_CASE("a value is needed until its last reader, an output to the end") {
  GraphMaker maker;
  const TensorId x = maker.add_input("x", {2, 2});
  const TensorId a = maker.add("a", {2, 2});
  const TensorId b = maker.add("b", {4});
  const TensorId unread = maker.add("unread", {2, 2});
  maker.add_node(TransposeOp{{1, 0}}, {x}, a);
  maker.add_node(TransposeOp{{1, 0}}, {x}, unread);
  maker.add_node(ReshapeOp{}, {a}, b);
  maker.graph.outputs = {b};
  const std::vector<std::size_t> last = last_readers(maker.graph);
  CHECK(last[static_cast<std::size_t>(x)] == 1);
  CHECK(last[static_cast<std::size_t>(a)] == 2);
  CHECK(last[static_cast<std::size_t>(b)] == kReadAfterTheRun);
  CHECK(last[static_cast<std::size_t>(unread)] == kNeverRead);
}
