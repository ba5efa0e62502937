#include "sim/compare/explain.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "tests/unit/workloads/graph_maker.h"
#include "workloads/graph/layout.h"

namespace qsim {
namespace {

/// x -> conv -> y -> add a constant -> z, and the values of a run.
struct Network {
  explicit Network(Semantics semantics = Semantics::tflite) {
    maker.graph.semantics = semantics;
    TensorOptions x_options;
    x_options.is_signed = false;
    x_options.zero_points = {100};
    TensorOptions w_options;
    w_options.scales = {0.011F};
    TensorOptions y_options;
    y_options.scales = {0.9F};
    y_options.zero_points = {5};
    TensorOptions z_options = y_options;
    z_options.scales = {1.7F};
    x = maker.add_input("x", {1, 26, 26, 8}, x_options);
    w = maker.add_constant("w", {12, 3, 3, 8}, w_options);
    b = maker.add_bias(12);
    y = maker.add("y", {1, 24, 24, 12}, y_options);
    z = maker.add("z", {1, 24, 24, 12}, z_options);
    Conv2dOp conv;
    conv.activation = Activation::relu;
    maker.add_node(conv, {x, w, b}, y);
    TensorOptions c_options;
    c_options.scales = {0.37F};
    c_options.zero_points = {-30};
    maker.add_node(BinaryOp{}, {y, maker.add_constant("c", {24, 24, 12}, c_options)}, z);
    validate(maker.graph);
  }

  TensorSet run(arithmetic::RoundingProfile profile) {
    Executor executor(maker.graph);
    executor.set_input(x, x_value);
    MacContext context;
    context.rounding_profile = profile;
    for (const Node& node : maker.graph.nodes) static_cast<void>(executor.run_node(node, context));
    TensorSet set{"run", {}};
    for (const TensorId id : {x, y, z}) {
      const Tensor& tensor = maker.graph.tensor(id);
      set.tensors.push_back({tensor.name, to_model_layout(executor.value(id), tensor), {}});
    }
    return set;
  }

  /// sum (x - 100) * w + b of an output element, from first principles; pairs of products saturate when
  /// asked.
  std::int64_t sum(std::int64_t i, bool saturate) const {
    const std::int64_t n = i % 12, ox = i / 12 % 24, oy = i / 288;
    std::vector<std::int64_t> products;
    std::int64_t weights = 0;
    for (std::int64_t k = 0; k < 72; ++k) {
      const std::int64_t position = ((oy + k / 24) * 26 + ox + k / 8 % 3) * 8 + k % 8;
      const std::int64_t weight = maker.graph.tensor(w).data->at(n * 72 + k);
      products.push_back(x_value.at(position) * weight);
      weights += weight;
    }
    std::int64_t total = maker.graph.tensor(b).data->at(n) - 100 * weights;
    for (std::size_t k = 0; k < products.size(); k += 2) {
      const std::int64_t pair = products[k] + products[k + 1];
      total += saturate ? std::min<std::int64_t>(std::max<std::int64_t>(pair, -32768), 32767) : pair;
    }
    return total;
  }

  /// A reference whose y is rounded by `round` of the accumulator, zero point 5, clamped by ReLU.
  template <typename Round>
  TensorSet reference(bool saturate, Round round) {
    TensorSet set = run(arithmetic::RoundingProfile::float32);
    for (std::int64_t i = 0; i < set.tensors[1].data.size(); ++i) {
      const auto v = static_cast<std::int64_t>(round(sum(i, saturate))) + 5;
      set.tensors[1].data.set(i, std::min<std::int64_t>(std::max<std::int64_t>(v, 5), 127));
    }
    return set;
  }

  GraphMaker maker{3};
  TensorId x = 0, w = 0, b = 0, y = 0, z = 0;
  TensorData x_value{[this] {
    TensorData data(ElementType::u8, {1, 26, 26, 8});
    for (std::int64_t i = 0; i < data.size(); ++i) data.set(i, maker.draw(0, 255));
    return data;
  }()};
};

std::vector<std::string> exact_names(const Explanation& explanation) {
  std::vector<std::string> names;
  for (const SuspectResult& suspect : explanation.suspects) {
    if (suspect.is_exact()) names.push_back(suspect.name);
  }
  return names;
}

bool has(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

const double kMultiplier =
    static_cast<double>(0.05F) * static_cast<double>(0.011F) / static_cast<double>(0.9F);

}  // namespace

TEST_CASE("equal values need no explanation") {
  Network network;
  const TensorSet run = network.run(arithmetic::RoundingProfile::float32);
  CHECK_FALSE(explain_first_difference(network.maker.graph, run, run));
}

TEST_CASE("each rounding profile is found by what it computes") {
  using arithmetic::RoundingProfile;
  Network network;
  const TensorSet truth = network.run(RoundingProfile::float32);
  for (const RoundingProfile profile :
       {RoundingProfile::fixed_point_double_rounding, RoundingProfile::fixed_point_16bit_multiplier,
        RoundingProfile::power_of_two}) {
    const TensorSet reference = network.run(profile);
    INFO(arithmetic::rounding_profile_name(profile));
    const auto explanation = explain_first_difference(network.maker.graph, truth, reference);
    REQUIRE(explanation);
    CHECK(explanation->node == "y");
    CHECK(explanation->op == "conv2d");
    CHECK(explanation->elements == 6912);
    CHECK(explanation->different > 0);
    CHECK(explanation->assumed_inputs.empty());
    CHECK(has(exact_names(*explanation), arithmetic::rounding_profile_name(profile)));
    CHECK_FALSE(has(exact_names(*explanation), "float32"));
    for (const SuspectResult& suspect : explanation->suspects) {
      if (suspect.name == "float32") CHECK(suspect.unexplained == explanation->different);
    }
  }
}

TEST_CASE("pairs that saturate at 16 bits are named as the only explanation") {
  Network network;
  const float s = (0.05F * 0.011F) / 0.9F;
  const TensorSet reference =
      network.reference(true, [s](std::int64_t sum) { return std::nearbyint(static_cast<float>(sum) * s); });
  const auto explanation = explain_first_difference(
      network.maker.graph, network.run(arithmetic::RoundingProfile::float32), reference);
  REQUIRE(explanation);
  CHECK(exact_names(*explanation) == std::vector<std::string>{"saturated_pairs"});
  CHECK_THAT(explanation->verdict, Catch::StartsWith("b was made by kernels that saturate"));
}

TEST_CASE("the output of a network alone tells that its kernels saturate") {
  Network network(Semantics::onnx);
  const float s = (0.05F * 0.011F) / 0.9F;
  const TensorSet between =
      network.reference(true, [s](std::int64_t sum) { return std::nearbyint(static_cast<float>(sum) * s); });
  Executor executor(network.maker.graph);
  executor.set_input(network.y, between.tensors[1].data);
  static_cast<void>(executor.run_node(network.maker.graph.nodes[1], {}));
  const TensorSet run = network.run(arithmetic::RoundingProfile::float32);
  TensorSet reference{"reference", {{"z", executor.value(network.z), {}}}};
  const auto explanation = explain_first_difference(network.maker.graph, run, reference);
  REQUIRE(explanation);
  CHECK(explanation->node == "z");
  CHECK(explanation->assumed_inputs == std::vector<std::string>{"y"});
  CHECK_THAT(explanation->verdict, Catch::StartsWith("b was made by kernels that saturate"));
  CHECK_THAT(explanation->verdict, Catch::EndsWith("The whole network, recomputed so, gives b"));

  reference.tensors[0].data.set(5, reference.tensors[0].data.at(5) == 60 ? 61 : 60);
  CHECK(explain_first_difference(network.maker.graph, run, reference)->verdict.empty());
  reference.tensors[0].data = run.tensors[2].data;
  reference.tensors[0].data.set(5, reference.tensors[0].data.at(5) == 60 ? 61 : 60);
  CHECK(explain_first_difference(network.maker.graph, run, reference)->verdict.empty());
}

TEST_CASE("a reference that differs otherwise is not called saturated") {
  Network network;
  const TensorSet truth = network.run(arithmetic::RoundingProfile::float32);
  const TensorSet reference = network.run(arithmetic::RoundingProfile::fixed_point_double_rounding);
  const auto explanation = explain_first_difference(network.maker.graph, truth, reference);
  REQUIRE(explanation);
  CHECK_FALSE(exact_names(*explanation).empty());
  CHECK(explanation->verdict.empty());
}

TEST_CASE("pairs that do not reach 16 bits say nothing of the reference") {
  Network network;
  for (std::int64_t i = 0; i < network.x_value.size(); ++i)
    network.x_value.set(i, network.x_value.at(i) % 128);
  const TensorSet exact = network.run(arithmetic::RoundingProfile::float32);
  const TensorSet run = network.run(arithmetic::RoundingProfile::power_of_two);
  // Weights of 8 bits and activations of 7: |2 * 127 * 128| = 32512.
  const auto explanation = explain_first_difference(network.maker.graph, run, exact);
  REQUIRE(explanation);
  CHECK(has(exact_names(*explanation), "float32"));
  CHECK(has(exact_names(*explanation), "saturated_pairs"));
  CHECK(explanation->verdict.empty());
}

// MatMulInteger of ONNX Runtime 1.30, x - 3 by w + 2, as a processor with AVX2 alone and one with VNNI
// computed it (tests/conformance/recordings, "sums").
TEST_CASE("sums recorded on a processor without VNNI are named, those of one with VNNI are equal") {
  const std::vector<std::int64_t> x_values{5,   247, 37,  251, 240, 247, 240, 241, 246, 238, 254, 244, 157,
                                           248, 252, 253, 253, 237, 215, 255, 117, 244, 37,  44,  244, 237,
                                           248, 242, 236, 241, 255, 236, 245, 236, 237, 181, 237, 240, 245,
                                           253, 248, 236, 244, 249, 156, 242, 218, 242, 242, 240, 239, 252,
                                           250, 246, 250, 254, 249, 244, 236, 54,  232, 243, 247};
  const std::vector<std::int64_t> w_values{
      -125, 125, 113, 53,  126, 108, -61, 13,  121, 125, 115, 122, 115, -71, -33, 121, -117,
      -63,  119, -3,  123, 116, 118, 117, 115, 121, 123, 127, 111, 127, 117, 125, 25,  121,
      127,  122, 126, 113, 124, 119, -13, 113, 112, 127, 81,  109, 125, -14, 112, 126, 109,
      107,  125, 119, 127, 69,  36,  124, 118, 119, 115, 127, 20,  87,  122, -35, 111, -31,
      117,  124, 126, 109, -61, 110, -8,  122, 124, 9,   110, 118, 120, 124, 110, 109};
  const std::vector<std::int64_t> with_avx2{169465, 329299, 323085, 294474, 143316, 350593,
                                            325268, 296127, 182461, 349913, 326958, 303389};
  const std::vector<std::int64_t> with_vnni{234810, 485039, 456690, 386442, 208980, 501942,
                                            465243, 399355, 256945, 526527, 481214, 403230};
  const auto filled = [](TensorData data, const std::vector<std::int64_t>& values) {
    for (std::size_t i = 0; i < values.size(); ++i) data.set(static_cast<std::int64_t>(i), values[i]);
    return data;
  };
  GraphMaker maker;
  maker.graph.semantics = Semantics::onnx;
  const TensorId x = maker.add_input("x", {3, 21}, {8, false, {1.0F}, {3}});
  const TensorId w = maker.add_constant("w", {4, 21}, {8, true, {1.0F}, {-2}});
  maker.graph.tensor(w).data = filled({ElementType::i8, {4, 21}}, w_values);
  const TensorId y = maker.add("y", {3, 4}, {32, true, {1.0F}, {0}});
  maker.add_node(FullyConnectedOp{}, {x, w, kNoTensor}, y);
  validate(maker.graph);
  Executor executor(maker.graph);
  executor.set_input(x, filled({ElementType::u8, {3, 21}}, x_values));
  static_cast<void>(executor.run_node(maker.graph.nodes[0], {}));
  const TensorSet run{"run", {{"x", executor.value(x), {}}, {"y", executor.value(y), {}}}};
  const auto explained = [&](const std::vector<std::int64_t>& sums) {
    TensorSet reference = run;
    reference.tensors[1].data = filled({ElementType::i32, {3, 4}}, sums);
    return explain_first_difference(maker.graph, run, reference);
  };
  CHECK_FALSE(explained(with_vnni));
  const auto explanation = explained(with_avx2);
  REQUIRE(explanation);
  CHECK(explanation->different == 12);
  CHECK(exact_names(*explanation) == std::vector<std::string>{"saturated_pairs"});
  CHECK_THAT(explanation->verdict, Catch::StartsWith("b was made by kernels that saturate"));
}

TEST_CASE("one tensor can be asked for, whatever differs before it") {
  Network network;
  const TensorSet run = network.run(arithmetic::RoundingProfile::float32);
  const TensorSet reference = network.run(arithmetic::RoundingProfile::power_of_two);
  CHECK(explain_first_difference(network.maker.graph, run, reference)->node == "y");
  const auto asked = explain_first_difference(network.maker.graph, run, reference, "z");
  REQUIRE(asked);
  CHECK(asked->node == "z");
  CHECK(asked->assumed_inputs.empty());
  CHECK(has(exact_names(*asked), "tflite"));
  CHECK_FALSE(explain_first_difference(network.maker.graph, run, reference, "x"));
}

TEST_CASE("truncation is told from flooring and rounding") {
  Network network;
  const float s = (0.05F * 0.011F) / 0.9F;
  const TensorSet reference =
      network.reference(false, [s](std::int64_t sum) { return std::trunc(static_cast<float>(sum) * s); });
  const auto explanation = explain_first_difference(
      network.maker.graph, network.run(arithmetic::RoundingProfile::float32), reference);
  REQUIRE(explanation);
  // Behind ReLU every value is positive, so that downwards is towards zero.
  CHECK(has(exact_names(*explanation), "float32_truncated"));
  CHECK(has(exact_names(*explanation), "float32_floor"));
  CHECK_FALSE(has(exact_names(*explanation), "float64_half_even"));
}

TEST_CASE("a bias that was left out is found") {
  Network network;
  const TensorSet reference = network.reference(false, [&, i = std::int64_t{0}](std::int64_t sum) mutable {
    return std::nearbyint(
        static_cast<double>(sum - network.maker.graph.tensor(network.b).data->at(i++ % 12)) * kMultiplier);
  });
  const auto explanation = explain_first_difference(
      network.maker.graph, network.run(arithmetic::RoundingProfile::float32), reference);
  REQUIRE(explanation);
  REQUIRE_FALSE(explanation->suspects.empty());
  CHECK(explanation->suspects[0].name == "no_bias");
}

TEST_CASE("a value that no arithmetic gives stays unexplained, and how many is said") {
  Network network;
  const TensorSet run = network.run(arithmetic::RoundingProfile::fixed_point_double_rounding);
  TensorSet reference = run;
  reference.tensors[1].data.set(17, reference.tensors[1].data.at(17) == 60 ? 70 : 60);
  const auto explanation = explain_first_difference(network.maker.graph, run, reference);
  REQUIRE(explanation);
  CHECK(explanation->different == 1);
  CHECK(exact_names(*explanation).empty());
  CHECK(explanation->suspects[0].unexplained == 1);
}

TEST_CASE("a layer is judged by the reference's inputs, not by the run's") {
  Network network;
  const TensorSet run = network.run(arithmetic::RoundingProfile::float32);
  TensorSet reference = network.run(arithmetic::RoundingProfile::power_of_two);
  // Both sides agree on y (which the reference lacks or not); z follows from the reference's own y.
  reference.tensors.erase(reference.tensors.begin() + 1);
  const auto assumed = explain_first_difference(network.maker.graph, run, reference);
  REQUIRE(assumed);
  CHECK(assumed->node == "z");
  CHECK(assumed->assumed_inputs == std::vector<std::string>{"y"});
  CHECK(exact_names(*assumed).empty());

  TensorSet with_input = network.run(arithmetic::RoundingProfile::power_of_two);
  TensorSet shifted = run;
  shifted.tensors[1] = with_input.tensors[1];  // y agrees, z does not
  const auto explanation = explain_first_difference(network.maker.graph, shifted, with_input);
  REQUIRE(explanation);
  CHECK(explanation->node == "z");
  CHECK(has(exact_names(*explanation), "tflite"));
}

TEST_CASE("an addition of ONNX Runtime is told from TFLite's") {
  Network tflite(Semantics::tflite), onnx(Semantics::onnx);
  const TensorSet run = tflite.run(arithmetic::RoundingProfile::float32);
  const TensorSet reference = onnx.run(arithmetic::RoundingProfile::float32);
  const auto explanation = explain_first_difference(tflite.maker.graph, run, reference);
  REQUIRE(explanation);
  CHECK(explanation->node == "z");
  CHECK(has(exact_names(*explanation), "onnx"));
  CHECK_FALSE(has(exact_names(*explanation), "tflite"));
}

TEST_CASE("stored integers of a wider type are the same values") {
  Network network;
  const TensorSet run = network.run(arithmetic::RoundingProfile::float32);
  TensorSet reference = network.run(arithmetic::RoundingProfile::fixed_point_double_rounding);
  TensorData wide(ElementType::i32, reference.tensors[1].data.shape);
  for (std::int64_t i = 0; i < wide.size(); ++i) wide.set(i, reference.tensors[1].data.at(i));
  reference.tensors[1].data = wide;
  const auto explanation = explain_first_difference(network.maker.graph, run, reference);
  REQUIRE(explanation);
  CHECK(has(exact_names(*explanation), "fixed_point_double_rounding"));
}

TEST_CASE("tensors in the model's layout are explained in the graph's") {
  Network network;
  for (const TensorId id : {network.x, network.y, network.z})
    network.maker.graph.tensor(id).model_axes = {0, 3, 1, 2};
  const TensorSet run = network.run(arithmetic::RoundingProfile::float32);
  const TensorSet reference = network.run(arithmetic::RoundingProfile::fixed_point_double_rounding);
  CHECK(run.tensors[1].data.shape == Shape{1, 12, 24, 24});
  const auto explanation = explain_first_difference(network.maker.graph, run, reference);
  REQUIRE(explanation);
  CHECK(has(exact_names(*explanation), "fixed_point_double_rounding"));
  CHECK_FALSE(has(exact_names(*explanation), "float32"));
}

TEST_CASE("execution order lists inputs, then each node's output") {
  CHECK(execution_order(Network().maker.graph) == std::vector<std::string>{"x", "y", "z"});
}

}  // namespace qsim
