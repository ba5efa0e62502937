// Shape arithmetic of exporters: seen through the shape that a Reshape gets from it.
#include <catch2/catch.hpp>

#include "base/error.h"
#include "tests/unit/workloads/onnx_writer.h"
#include "workloads/graph/layout.h"

using namespace qsim;

namespace {

/// x [2, 3, 4] reshaped to what the nodes compute as "shape".
template <typename AddNodes>
Shape reshaped_by(const AddNodes& add_nodes, std::int64_t opset = 13) {
  OnnxWriter writer(opset);
  writer.input("x", {2, 3, 4});
  add_nodes(writer);
  writer.node("Reshape", {"x", "shape"}, {"y"});
  writer.output("y");
  const Graph graph = writer.read();
  CHECK(graph.nodes.size() == 1);
  return model_shape(graph.tensor(graph.outputs.at(0)));
}

}  // namespace

TEST_CASE("flattening as PyTorch exports it: Shape, Gather, Unsqueeze, Concat") {
  const Shape shape = reshaped_by([](OnnxWriter& w) {
    w.integers("zero", {}, {0});
    w.integers("axes", {1}, {0});
    w.integers("rest", {1}, {-1});
    w.node("Shape", {"x"}, {"all"});
    w.node("Gather", {"all", "zero"}, {"batch"});
    w.node("Unsqueeze", {"batch", "axes"}, {"list"});
    OnnxWriter::set(w.node("Concat", {"list", "rest"}, {"shape"}), "axis", 0);
  });
  CHECK(shape == Shape{2, 12});
}

TEST_CASE("arithmetic on sizes: integers truncate, floats do not") {
  const Shape shape = reshaped_by([](OnnxWriter& w) {
    // [2, 3, 4] -> slice [3, 4] -> floats 3 * 1.5 = 4.5 and 4 * 1.5 = 6 -> floor -> [4, 6] -> 4 * 6 = 24 -> /
    // 7 = 3.
    w.integers("one", {1}, {1});
    w.integers("end", {1}, {std::numeric_limits<std::int64_t>::max()});
    w.constant("factor", {}, {1.5F});
    w.integers("seven", {1}, {7});
    w.integers("two", {1}, {2});
    w.node("Shape", {"x"}, {"all"});
    w.node("Slice", {"all", "one", "end"}, {"tail"});
    OnnxWriter::set(w.node("Cast", {"tail"}, {"real"}), "to", ::onnx::TensorProto::FLOAT);
    w.node("Mul", {"real", "factor"}, {"scaled"});
    w.node("Floor", {"scaled"}, {"floored"});
    OnnxWriter::set(w.node("Cast", {"floored"}, {"sizes"}), "to", ::onnx::TensorProto::INT64);
    w.node("ReduceProd", {"sizes"}, {"product"});
    w.node("Div", {"product", "seven"}, {"quotient"});
    OnnxWriter::set(w.node("Concat", {"quotient", "two", "quotient2"}, {"shape"}), "axis", 0);
    w.node("Add", {"quotient", "one"},
           {"quotient2"});  // Behind its user: the order of the file is not that of running.
  });
  CHECK(shape == Shape{3, 2, 4});
}

TEST_CASE("Where, Equal, ConstantOfShape, Expand, Range and Sub compute shapes") {
  const Shape shape = reshaped_by([](OnnxWriter& w) {
    w.integers("three", {1}, {3});
    w.integers("minus", {}, {-1});
    w.integers("start", {}, {4});
    w.integers("limit", {}, {1});
    w.node("ConstantOfShape", {"three"}, {"zeros"});  // Floats by default.
    OnnxWriter::set(w.node("Cast", {"zeros"}, {"zeros64"}), "to", ::onnx::TensorProto::INT64);
    w.node("Range", {"start", "limit", "minus"}, {"ramp"});  // 4 3 2
    w.integers("threes", {}, {3});
    w.node("Equal", {"ramp", "threes"}, {"is_three"});            // 0 1 0
    w.node("Expand", {"minus", "three"}, {"minuses"});            // -1 -1 -1
    w.node("Where", {"is_three", "minuses", "ramp"}, {"mixed"});  // 4 -1 2
    w.node("Sub", {"mixed", "zeros64"}, {"shape"});
  });
  CHECK(shape == Shape{4, 3, 2});
}

TEST_CASE("the paddings of an exported SAME convolution: reshape, reverse, transpose") {
  // pads given last dimension first as pairs, [1 2 | 3 4 | 0 0], become [0 3 1 | 0 4 2] for Pad.
  OnnxWriter w(13);
  w.input("x", {2, 3, 4});
  w.integers("pairs", {6}, {1, 2, 3, 4, 0, 0});
  w.integers("matrix", {2}, {-1, 2});
  w.integers("minus", {1}, {-1});
  w.integers("first", {1}, {std::numeric_limits<std::int64_t>::min() + 1});
  w.integers("axis", {1}, {0});
  w.integers("list", {1}, {-1});
  w.node("Reshape", {"pairs", "matrix"}, {"rows"});
  w.node("Slice", {"rows", "minus", "first", "axis", "minus"}, {"reversed"});
  OnnxWriter::set(w.node("Transpose", {"reversed"}, {"columns"}), "perm", {1, 0});
  w.node("Reshape", {"columns", "list"}, {"pads"});
  w.node("Pad", {"x", "pads"}, {"y"});
  w.output("y");
  const Graph graph = w.read();
  const auto& pad = std::get<PadOp>(graph.nodes.at(0).op);
  CHECK(pad.before == std::vector<std::int64_t>{0, 3, 1});
  CHECK(pad.after == std::vector<std::int64_t>{0, 4, 2});
  CHECK(graph.folded_nodes.size() == 4);
}

TEST_CASE("axes are attributes before opset 13 and inputs since") {
  const auto squeeze = [](OnnxWriter& w) {
    w.integers("sizes", {1, 2, 1}, {6, 4});
    OnnxWriter::set(w.node("Squeeze", {"sizes"}, {"list"}), "axes", {0, -1});
    OnnxWriter::set(w.node("Unsqueeze", {"list"}, {"wide"}), "axes", {0});
    w.node("Squeeze", {"wide"}, {"shape"});
  };
  CHECK(reshaped_by(squeeze, 11) == Shape{6, 4});
}

TEST_CASE("arithmetic that has no result is refused") {
  const auto refusal = [](const auto& add_nodes) {
    try {
      static_cast<void>(reshaped_by(add_nodes));
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK_THAT(refusal([](OnnxWriter& w) {
               w.integers("a", {1}, {6});
               w.integers("b", {1}, {0});
               w.node("Div", {"a", "b"}, {"shape"});
             }),
             Catch::Contains("graph node 0 Div \"n_shape\"") && Catch::Contains("division by 0"));
  CHECK_THAT(refusal([](OnnxWriter& w) {
               w.integers("a", {2}, {6, 4});
               w.integers("b", {3}, {1, 1, 1});
               w.node("Add", {"a", "b"}, {"shape"});
             }),
             Catch::Contains("shapes 2 and 3"));
  CHECK_THAT(refusal([](OnnxWriter& w) {
               w.integers("a", {2}, {6, 4});
               w.integers("b", {}, {2});
               w.node("Gather", {"a", "b"}, {"shape"});
             }),
             Catch::Contains("indices: got 2, expected -2 to 1"));
  CHECK_THAT(refusal([](OnnxWriter& w) {
               w.integers("a", {2}, {1 << 20, 1 << 20});
               w.node("ConstantOfShape", {"a"}, {"shape"});
             }),
             Catch::Contains("at most 4194304 elements"));
  CHECK_THAT(refusal([](OnnxWriter& w) { w.integers("shape", {2}, {5, -1}); }), Catch::Contains("2x3x4"));
}
