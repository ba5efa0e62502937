#include "sim/compare/compare_tensors.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "base/error.h"

namespace qsim {
namespace {

TensorData integers(ElementType type, Shape shape, const std::vector<std::int64_t>& values) {
  TensorData data(type, std::move(shape));
  for (std::size_t i = 0; i < values.size(); ++i) data.set(static_cast<std::int64_t>(i), values[i]);
  return data;
}

TensorData floats(const std::vector<float>& values) {
  TensorData data(ElementType::f32, {static_cast<std::int64_t>(values.size())});
  std::copy(values.begin(), values.end(), data.as<float>().begin());
  return data;
}

NamedTensor named(const std::string& name, TensorData data) {
  return {name, std::move(data), std::nullopt};
}

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

}  // namespace

TEST_CASE("differences of integers are counted and the first largest is placed") {
  const TensorData a = integers(ElementType::i8, {2, 3}, {0, 1, -128, 3, 4, 127});
  const TensorData b = integers(ElementType::i8, {2, 3}, {0, 2, 127, 3, 4, -128});
  const TensorDifference d = compare_values(a, b, {});
  CHECK(d.elements == 6);
  CHECK(d.unequal == 3);
  CHECK(d.different == 3);
  CHECK(d.largest == 255.0);
  CHECK(d.first == 1);
  CHECK(d.at == 2);
  CHECK(position_text({2, 3}, d.at) == "[0,2]");
  CHECK(position_text({2, 3}, 5) == "[1,2]");
  CHECK(position_text({}, 0) == "[]");
}

TEST_CASE("a tolerance in steps lets smaller differences pass and still counts them") {
  const TensorData a = integers(ElementType::i16, {4}, {0, 1, 2, 3});
  const TensorData b = integers(ElementType::i16, {4}, {0, 2, 4, 6});
  CHECK(compare_values(a, b, {3, 0.0}).different == 0);
  const TensorDifference d = compare_values(a, b, {2, 0.0});
  CHECK(d.different == 1);
  CHECK(d.first == 3);
  CHECK(d.unequal == 3);
}

TEST_CASE("64-bit integers at both ends are as far apart as they are") {
  const TensorData a = integers(ElementType::i64, {1}, {std::numeric_limits<std::int64_t>::max()});
  const TensorData b = integers(ElementType::i64, {1}, {std::numeric_limits<std::int64_t>::min()});
  CHECK(compare_values(a, b, {}).largest == std::ldexp(1.0, 64));
  CHECK(compare_values(b, a, {}).different == 1);
}

TEST_CASE("floats are compared by value, NaN with NaN, relative to the second tensor's largest") {
  CHECK(compare_values(floats({0.0F, kNan, kInfinity}), floats({-0.0F, kNan, kInfinity}), {}).unequal == 0);
  const TensorData a = floats({100.0F, 1.009F, 1.011F});
  const TensorData b = floats({100.0F, 1.0F, 1.0F});
  CHECK(compare_values(a, b, {0, 1e-4}).different == 1);  // 0.009 and 0.011 beside 1e-4 * 100
  CHECK(compare_values(a, b, {0, 1e-4}).first == 2);
  CHECK(compare_values(a, b, {}).different == 2);
}

TEST_CASE("a NaN or an infinity on one side is beyond every tolerance") {
  for (const float value : {kNan, kInfinity, -kInfinity}) {
    const TensorDifference d = compare_values(floats({value, 5.0F}), floats({1.0F, 5.0F}), {0, 1e9});
    CHECK(d.different == 1);
    CHECK(std::isinf(d.largest));
    CHECK(d.at == 0);
  }
}

TEST_CASE("tensors meet by name, in the order given, then in that of the files") {
  const TensorSet a{
      "a",
      {named("z", integers(ElementType::i8, {1}, {1})), named("x", integers(ElementType::i8, {1}, {1})),
       named("only a", integers(ElementType::i8, {1}, {1}))}};
  const TensorSet b{
      "b",
      {named("x", integers(ElementType::i8, {1}, {2})), named("z", integers(ElementType::i8, {1}, {3})),
       named("only b", integers(ElementType::i8, {2}, {1, 1}))}};
  CompareOptions options;
  options.order = {"input", "x", "z"};
  const Comparison comparison = compare_tensor_sets(a, b, options);
  REQUIRE(comparison.tensors.size() == 4);
  CHECK(comparison.tensors[0].name == "x");
  CHECK(comparison.tensors[1].name == "z");
  CHECK(comparison.tensors[2].verdict == Verdict::only_in_a);
  CHECK(comparison.tensors[3].verdict == Verdict::only_in_b);
  CHECK(comparison.tensors[3].b == "I8 2");
  CHECK(comparison.failures == 4);
  CHECK(comparison.first_difference == "x");
  CHECK(compare_tensor_sets(a, b, {}).first_difference == "z");

  options.all_in_b = false;  // b is a reference with some of the tensors
  CHECK(compare_tensor_sets(a, b, options).failures == 3);
  options.all_in_a = false;
  CHECK(compare_tensor_sets(a, b, options).failures == 2);
}

TEST_CASE("another shape or another type is a difference of its own") {
  const TensorSet a{"a",
                    {named("shape", integers(ElementType::i8, {2, 1}, {1, 2})),
                     named("type", integers(ElementType::i8, {2}, {1, 2})),
                     named("kind", integers(ElementType::i8, {2}, {1, 2}))}};
  const TensorSet b{
      "b",
      {named("shape", integers(ElementType::i8, {1, 2}, {1, 2})),
       named("type", integers(ElementType::i32, {2}, {1, 300})), named("kind", floats({1.0F, 2.0F}))}};
  const Comparison comparison = compare_tensor_sets(a, b, {});
  CHECK(comparison.tensors[0].verdict == Verdict::other_shape);
  CHECK_FALSE(comparison.tensors[0].difference);
  CHECK(comparison.tensors[1].verdict == Verdict::other_type);
  REQUIRE(comparison.tensors[1].difference);
  CHECK(comparison.tensors[1].difference->largest == 298.0);
  CHECK(comparison.tensors[2].verdict == Verdict::other_type);
  CHECK_FALSE(comparison.tensors[2].difference);
  CHECK(comparison.failures == 3);
}

TEST_CASE("the real size of a step is the first side's, else the second's") {
  NamedTensor with_scale = named("x", integers(ElementType::i8, {1}, {1}));
  with_scale.quantization.emplace().scales = {0.25F};
  const TensorSet plain{"plain", {named("x", integers(ElementType::i8, {1}, {3}))}};
  CHECK(compare_tensor_sets({"a", {with_scale}}, plain, {}).tensors[0].scale == 0.25);
  CHECK(compare_tensor_sets(plain, {"b", {with_scale}}, {}).tensors[0].scale == 0.25);
  CHECK_FALSE(compare_tensor_sets(plain, plain, {}).tensors[0].scale);
}

TEST_CASE("files without a common name are no comparison") {
  const TensorSet a{"a", {named("conv1/out", integers(ElementType::i8, {1}, {1}))}};
  const TensorSet b{"b", {named("conv1/outs", integers(ElementType::i8, {1}, {1}))}};
  CHECK_THROWS_WITH(compare_tensor_sets(a, b, {}),
                    Catch::Contains("conv1/out\"") && Catch::Contains("b: got"));
  CHECK_THROWS_AS(compare_tensor_sets(a, {"b", {}}, {}), InputError);
}

}  // namespace qsim
