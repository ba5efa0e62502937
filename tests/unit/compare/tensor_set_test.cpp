#include "sim/compare/tensor_set.h"

#include <catch2/catch.hpp>

#include "base/error.h"
#include "sim/report/tensor_file.h"
#include "tests/unit/base/scratch_folder.h"
#include "workloads/formats/npy.h"
#include "workloads/formats/safetensors.h"

namespace qsim {
namespace {

NamedTensor tensor(const std::string& name) {
  NamedTensor result{name, TensorData(ElementType::u8, {2}), Quantization{}};
  result.quantization->is_signed = false;
  result.quantization->scales = {0.5F};
  result.quantization->zero_points = {7};
  result.data.set(1, 200);
  return result;
}

}  // namespace

TEST_CASE("a file that qsim wrote brings back values and quantization") {
  const ScratchFolder folder;
  const std::string path = folder.path("t.safetensors");
  write_tensor_file(path, {tensor("x"), {"real", TensorData(ElementType::f32, {3}), std::nullopt}});
  const TensorSet set = read_tensor_set(path);
  REQUIRE(set.find("x") != nullptr);
  CHECK(set.find("x")->data.at(1) == 200);
  REQUIRE(set.find("x")->quantization);
  CHECK(set.find("x")->quantization->scale() == 0.5F);
  CHECK(set.find("x")->quantization->zero_point() == 7);
  CHECK_FALSE(set.find("x")->quantization->is_signed);
  CHECK_FALSE(set.find("real")->quantization);
  CHECK(set.find("y") == nullptr);
}

TEST_CASE("metadata of other programs is left alone") {
  const ScratchFolder folder;
  const std::string path = folder.path("t.safetensors");
  const std::vector<FileTensor> tensors{{"x", TensorData(ElementType::i8, {2})},
                                        {"y", TensorData(ElementType::i8, {2})},
                                        {"z", TensorData(ElementType::i8, {2})}};
  write_safetensors(path, tensors, {{"x", "a note"}, {"y", "{\"scale\": \"big\"}"}, {"format", "pt"}});
  for (const NamedTensor& read : read_tensor_set(path).tensors) CHECK_FALSE(read.quantization);
}

TEST_CASE("an array without a name takes that of the other side's only tensor") {
  const ScratchFolder folder;
  write_npy(folder.path("x.npy"), tensor("x").data);
  TensorSet array = read_tensor_set(folder.path("x.npy"));
  TensorSet one{"one", {tensor("logits")}};
  name_single_tensor(array, one);
  CHECK(array.tensors[0].name == "logits");

  TensorSet nameless = read_tensor_set(folder.path("x.npy"));
  TensorSet two{"two", {tensor("a"), tensor("b")}};
  CHECK_THROWS_WITH(name_single_tensor(two, nameless),
                    Catch::Contains("x.npy") && Catch::Contains("--tensor"));
  keep_tensor(two, "b");
  keep_tensor(nameless, "b");  // has one value whatever it is called
  name_single_tensor(two, nameless);
  CHECK(nameless.tensors[0].name == "b");
}

TEST_CASE("a tensor that is not there is named with the nearest") {
  TensorSet set{"file", {tensor("logits"), tensor("probabilities")}};
  CHECK_THROWS_WITH(keep_tensor(set, "logit"), Catch::Contains("did you mean logits?"));
  CHECK_THROWS_WITH(keep_tensor(set, "convolution"), Catch::Contains("it has logits, probabilities"));
}

TEST_CASE("a file that is damaged or missing is bad input") {
  const ScratchFolder folder;
  CHECK_THROWS_AS(read_tensor_set(folder.path("missing.safetensors")), InputError);
  CHECK_THROWS_AS(read_tensor_set(folder.path("missing.npy")), InputError);
}

}  // namespace qsim
