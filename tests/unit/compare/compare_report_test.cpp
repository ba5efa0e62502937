#include "sim/compare/compare_report.h"

#include <catch2/catch.hpp>
#include <limits>

namespace qsim {
namespace {

CompareReport sample() {
  TensorComparison conv;
  conv.name = "conv";
  conv.verdict = Verdict::different;
  conv.a = conv.b = "I8 2x3";
  conv.shape = {2, 3};
  conv.scale = 0.5;
  conv.difference = TensorDifference{6, 2, 3, 4.0, 1, 5};
  TensorComparison missing;
  missing.name = "pool";
  missing.verdict = Verdict::only_in_b;
  missing.b = "I8 2";
  CompareReport report;
  report.version = "1";
  report.a = "a.safetensors";
  report.b = "b.safetensors";
  report.comparison.tensors = {conv, missing};
  report.comparison.failures = 2;
  report.comparison.first_difference = "conv";
  report.first_layer = "conv";
  return report;
}

Explanation explanation(std::int64_t unexplained) {
  return {"conv",    "conv2d", "layers[0]",
          "conv",    6,        2,
          {"image"}, "",       {{"float32", "half to even", unexplained}, {"no_bias", "lost", 6}},
          ""};
}

}  // namespace

TEST_CASE("the JSON has counts, positions and real units") {
  const auto json = compare_json(sample());
  CHECK(json["equal"] == false);
  CHECK(json["failures"] == 2);
  CHECK(json["first_layer"] == "conv");
  CHECK(json["explanation"].is_null());
  const auto& difference = json["tensors"][0]["difference"];
  CHECK(difference["different"] == 2);
  CHECK(difference["unequal"] == 3);
  CHECK(difference["largest"] == 4.0);
  CHECK(difference["largest_real"] == 2.0);
  CHECK(difference["largest_at"] == nlohmann::ordered_json({1, 2}));
  CHECK(difference["first_at"] == nlohmann::ordered_json({0, 1}));
  CHECK(json["tensors"][1]["a"].is_null());
  CHECK(json["tensors"][1]["verdict"] == "only_in_b");
  CHECK(json["tensors"][1]["difference"].is_null());
}

TEST_CASE("what is infinite is null in JSON") {
  CompareReport report = sample();
  report.comparison.tensors[0].difference->largest = std::numeric_limits<double>::infinity();
  const auto json = compare_json(report);
  CHECK(json["tensors"][0]["difference"]["largest"].is_null());
  CHECK(json["tensors"][0]["difference"]["largest_real"].is_null());
}

TEST_CASE("the text has a line a difference and names the first layer") {
  const std::string text = compare_text(sample());
  CHECK_THAT(text, Catch::Contains("2 tensors: 0 equal, 1 on one side only, 2 failures"));
  CHECK_THAT(text, Catch::Contains("[1,2]"));
  CHECK_THAT(text, Catch::Contains("pool") && Catch::Contains("only in b (I8 2)"));
  CHECK_THAT(text, Catch::Contains("first layer that differs: conv"));
}

TEST_CASE("an explanation lists what is exact, or else everything with what it leaves") {
  CompareReport report = sample();
  report.explanation = explanation(0);
  const std::string exact = compare_text(report);
  CHECK_THAT(exact, Catch::Contains("exactly") && Catch::Contains("float32") && Catch::Contains("image"));
  CHECK_THAT(exact, !Catch::Contains("no_bias"));
  report.explanation = explanation(1);
  const std::string open = compare_text(report);
  CHECK_THAT(open, Catch::Contains("nothing gives b exactly") && Catch::Contains("no_bias"));
  CHECK(compare_json(report)["explanation"]["suspects"][0]["unexplained"] == 1);
  CHECK(compare_json(report)["explanation"]["verdict"].is_null());
  CHECK_THAT(open, !Catch::Contains("verdict"));
  report.explanation->verdict = "b saturates";
  CHECK_THAT(compare_text(report), Catch::EndsWith("\nverdict: b saturates\n"));
  CHECK(compare_json(report)["explanation"]["verdict"] == "b saturates");
  report.explanation->obstacle = "a float layer";
  CHECK_THAT(compare_text(report), Catch::Contains("not explained: a float layer"));
}

}  // namespace qsim
