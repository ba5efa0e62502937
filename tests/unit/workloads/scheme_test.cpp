#include "workloads/graph/scheme.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "base/error.h"

using namespace qsim;

namespace {

std::vector<Problem> scheme_problems(const std::string& text) {
  try {
    static_cast<void>(parse_scheme(text));
  } catch (const InputError& error) {
    return error.problems();
  }
  return {};
}

std::vector<Problem> file_problems(const std::string& text) {
  try {
    static_cast<void>(read_scheme_text(text, "s.json"));
  } catch (const InputError& error) {
    return error.problems();
  }
  return {};
}

}  // namespace

TEST_CASE(
    "what a scheme leaves out is per channel, symmetric weights, asymmetric activations, float scales") {
  const Scheme scheme = parse_scheme("w4a8");
  CHECK(scheme.weights.bits == 4);
  CHECK(scheme.activations.bits == 8);
  CHECK(scheme.weights.granularity == Granularity::per_channel);
  CHECK(scheme.weights.is_symmetric);
  CHECK_FALSE(scheme.activations.is_symmetric);
  CHECK_FALSE(scheme.activations.is_signed);
  CHECK(scheme.scales == ScaleKind::floating);
  CHECK(scheme.format == NumberFormat::integer);
}

TEST_CASE("granularity and symmetry come in any order, and each alone") {
  for (const char* text :
       {"w2a16:weights=per_group(32),asymmetric", "w2a16:weights=asymmetric,per_group(32)"}) {
    const WeightScheme weights = parse_scheme(text).weights;
    CHECK(weights.granularity == Granularity::per_group);
    CHECK(weights.group_size == 32);
    CHECK_FALSE(weights.is_symmetric);
  }
  CHECK(parse_scheme("w8a8:weights=per_tensor").weights.is_symmetric);
  CHECK(parse_scheme("w8a8:weights=asymmetric").weights.granularity == Granularity::per_channel);
}

TEST_CASE("a scheme prints as the text that parses to it, without what may be left out") {
  const std::vector<std::pair<std::string, std::string>> texts = {
      {"w8a8", "w8a8"},
      {"w8a8:weights=per_channel,symmetric;scales=float;format=int", "w8a8"},
      {"w1a16:format=mxint;scales=power_of_two;activations=unsigned,symmetric;weights=asymmetric,per_tensor",
       "w1a16:weights=per_tensor,asymmetric;activations=symmetric,unsigned;scales=power_of_two;format=mxint"},
      {"w4a8:weights=per_group(64)", "w4a8:weights=per_group(64)"},
      {"w4a8:activations=signed", "w4a8:activations=signed"}};
  for (const auto& [text, canonical] : texts) {
    CHECK(to_text(parse_scheme(text)) == canonical);
    CHECK(to_text(parse_scheme(canonical)) == canonical);
  }
}

TEST_CASE("in a list a scheme begins where a part has widths") {
  const std::vector<Scheme> schemes =
      parse_scheme_list("w8a8,w4a8:weights=per_group(32),asymmetric;activations=symmetric,signed,w2a2");
  REQUIRE(schemes.size() == 3);
  CHECK(to_text(schemes[0]) == "w8a8");
  CHECK(to_text(schemes[1]) == "w4a8:weights=per_group(32),asymmetric;activations=symmetric,signed");
  CHECK(to_text(schemes[2]) == "w2a2");
  CHECK_THROWS_AS(parse_scheme_list("w8a8,"), InputError);
  try {
    static_cast<void>(parse_scheme_list("w8a8,w4a8:weights=asymetric,w99a1"));
    FAIL();
  } catch (const InputError& error) {
    REQUIRE(error.problems().size() == 2);
    CHECK(error.problems()[0].place == "column 19");
    CHECK(error.problems()[1].place == "column 30");
  }
}

TEST_CASE("what is wrong with a scheme is named with its column") {
  const std::vector<std::tuple<std::string, std::string, std::string>> wrong = {
      {"", "column 1", "nothing"},
      {"8a8", "column 1", "\"8a8\""},
      {"w8", "column 1", "\"w8\""},
      {"w0a8", "column 2", "\"0\""},
      {"w8a17", "column 4", "\"17\""},
      {"w99999999999a8", "column 2", "\"99999999999\""},
      {"w8a8:", "column 6", "nothing"},
      {"w8a8:weights=per_tensor;", "column 25", "nothing"},
      {"w8a8:weight=per_tensor", "column 6", "\"weight=per_tensor\""},
      {"w8a8:weights=per_row", "column 14", "\"per_row\""},
      {"w8a8:weights=per_group", "column 23", "nothing"},
      {"w8a8:weights=per_group(0)", "column 23", "\"(0)\""},
      {"w8a8:weights=per_group(x)", "column 23", "\"(x)\""},
      {"w8a8:weights=symmetric,asymmetric", "column 24", "\"asymmetric\""},
      {"w8a8:weights=per_tensor,per_channel", "column 25", "\"per_channel\""},
      {"w8a8:weights=per_tensor;weights=symmetric", "column 25", "\"weights\""},
      {"w8a8:activations=per_channel", "column 18", "\"per_channel\""},
      {"w8a8:activations=signed,unsigned", "column 25", "\"unsigned\""},
      {"w8a8:scales=pow2", "column 13", "\"pow2\""},
      {"w8a8:format=fp8", "column 13", "\"fp8\""}};
  for (const auto& [text, place, value] : wrong) {
    INFO(text);
    const std::vector<Problem> problems = scheme_problems(text);
    REQUIRE(problems.size() == 1);
    CHECK(problems[0].file == "--scheme");
    CHECK(problems[0].place == place);
    CHECK(problems[0].value == value);
    CHECK_FALSE(problems[0].expected.empty());
    CHECK_FALSE(problems[0].hint.empty());
  }
  CHECK(scheme_problems("w0a17:scales=x").size() == 3);
}

TEST_CASE("a file has the same keys, and exceptions by layer") {
  const Scheme scheme = read_scheme_text(R"({"bits": "w4a8", "weights": "per_tensor,asymmetric",
    "activations": "symmetric", "scales": "power_of_two",
    "layers": {"first": "w8a8", "last": {"bits": {"weights": 8}, "activations": "unsigned"}}})",
                                         "s.json");
  CHECK(to_text(scheme) == "w4a8:weights=per_tensor,asymmetric;activations=symmetric;scales=power_of_two");
  CHECK(scheme.weights_of("first") == WeightScheme{});
  CHECK(scheme.weights_of("last") == WeightScheme{8, Granularity::per_tensor, 0, false});
  CHECK(scheme.activations_of("last") == ActivationScheme{8, true, false});
  CHECK(scheme.weights_of("other") == scheme.weights);
  const Scheme again = read_scheme_text(scheme_json(scheme).dump(), "t.json");
  CHECK(to_text(again) == to_text(scheme));
  CHECK(again.layers == scheme.layers);
}

TEST_CASE("what is wrong with a file is named with its key") {
  CHECK(file_problems("{}")[0].place == "bits");
  CHECK(file_problems(R"({"bits": "w4"})")[0].place == "bits");
  CHECK(file_problems(R"({"bits": {"weights": 17}})")[0].place == "bits.weights");
  CHECK(file_problems(R"({"bits": "w4a8", "weights": "per_tensor,round"})")[0].place == "weights, column 12");
  CHECK(file_problems(R"({"bits": "w4a8", "weight": "per_tensor"})")[0].place == "weight");
  CHECK(file_problems(R"({"bits": "w4a8", "scales": 3})")[0].place == "scales");
  CHECK(file_problems(R"({"bits": "w4a8", "layers": {"c": "w4a0"}})")[0].place == "layers.c, column 4");
  CHECK(file_problems(R"({"bits": "w4a8", "layers": {"c": "w4a4:scales=power_of_two"}})")[0].place ==
        "layers.c");
}

TEST_CASE("an exception for no node is refused with the nearest name") {
  Scheme scheme = parse_scheme("w4a8");
  scheme.layers["conv_1"] = {};
  CHECK_NOTHROW(check_scheme_nodes(scheme, {"conv_1", "conv_2"}, "net"));
  try {
    check_scheme_nodes(scheme, {"conv_2", "dense"}, "net");
    FAIL();
  } catch (const InputError& error) {
    CHECK(error.problems()[0].place == "conv_1");
    CHECK(error.problems()[0].hint == "did you mean conv_2?");
  }
}
