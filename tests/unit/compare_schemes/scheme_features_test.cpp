#include "sim/compare_schemes/scheme_features.h"

#include <catch2/catch.hpp>
#include <map>

#include "sim/compare_schemes/scheme_list.h"

namespace qsim {
namespace {

/// {feature: the scheme without it, and the settings}
std::map<std::string, std::string> features(const Scheme& scheme, int accumulator_bits = 32) {
  HardwareConfig hardware;
  hardware.mac_array.weight_bits = 8;
  hardware.mac_array.activation_bits = 8;
  hardware.accumulators.width_bits = 32;
  std::map<std::string, std::string> found;
  for (const SchemeFeature& feature : features_of(scheme, hardware, accumulator_bits)) {
    std::string text = to_text(feature.without);
    for (const std::string& set : feature.sets) text += " " + set;
    found[feature.name] = text;
  }
  return found;
}

using Features = std::map<std::string, std::string>;

}  // namespace

TEST_CASE("each feature is left out by itself") {
  CHECK(features(parse_scheme("w8a8:weights=per_tensor;activations=symmetric;scales=power_of_two")).empty());
  CHECK(features(parse_scheme("w4a8:weights=asymmetric;activations=symmetric")) ==
        Features{{"zero_points_of_weights", "w4a8:activations=symmetric"},
                 {"scales_of_channels", "w4a8:weights=per_tensor,asymmetric;activations=symmetric"},
                 {"multiplier", "w4a8:weights=asymmetric;activations=symmetric;scales=power_of_two"}});
  CHECK(features(parse_scheme("w4a8:weights=per_group(32);scales=power_of_two")) ==
        Features{{"zero_points_of_activations",
                  "w4a8:weights=per_group(32);activations=symmetric;scales=power_of_two"},
                 {"scales_of_groups", "w4a8:scales=power_of_two"}});
}

TEST_CASE("accumulators count as wide where fewer bits hold every sum and a product of the operands") {
  const Scheme scheme = parse_scheme("w8a8:weights=per_tensor;activations=symmetric;scales=power_of_two");
  CHECK(features(scheme, 24).at("wide_accumulators").ends_with(" accumulators.width_bits=24"));
  CHECK(features(scheme, 9).at("wide_accumulators").ends_with(" accumulators.width_bits=16"));
  CHECK(features(scheme, 40).empty());
  CHECK(features(scheme, 0).empty());
}

TEST_CASE("exceptions of single layers have the feature, and lose it, too") {
  Scheme scheme = parse_scheme("w8a8:weights=per_tensor;activations=symmetric;scales=power_of_two");
  scheme.layers["conv"].weights_symmetric = false;
  HardwareConfig hardware;
  const std::vector<SchemeFeature> found = features_of(scheme, hardware, 0);
  REQUIRE(found.size() == 1);
  CHECK(found[0].name == "zero_points_of_weights");
  CHECK(found[0].without.weights_of("conv").is_symmetric);
}

TEST_CASE("schemes by default are ten different ones that parse to what they are called") {
  const std::vector<NamedScheme> schemes = default_schemes();
  CHECK(schemes.size() == 10);
  for (const NamedScheme& scheme : schemes) CHECK(to_text(scheme.scheme) == scheme.name);
}

TEST_CASE("a list keeps its texts as they are written") {
  const std::vector<NamedScheme> schemes =
      read_scheme_list("w8a8:scales=float,w4a8:weights=per_tensor,asymmetric");
  REQUIRE(schemes.size() == 2);
  CHECK(schemes[0].name == "w8a8:scales=float");
  CHECK(schemes[1].name == "w4a8:weights=per_tensor,asymmetric");
  CHECK_FALSE(schemes[1].scheme.weights.is_symmetric);
}

}  // namespace qsim
