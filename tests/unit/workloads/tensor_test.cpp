#include "workloads/graph/tensor.h"

#include <catch2/catch.hpp>
#include <stdexcept>

using namespace qsim;

TEST_CASE("an element type has the size and the name that safetensors uses") {
  const auto [type, bytes, name] = GENERATE(table<ElementType, std::size_t, std::string>({
      {ElementType::i8, 1, "I8"},
      {ElementType::u8, 1, "U8"},
      {ElementType::i16, 2, "I16"},
      {ElementType::u16, 2, "U16"},
      {ElementType::i32, 4, "I32"},
      {ElementType::i64, 8, "I64"},
      {ElementType::f32, 4, "F32"},
  }));
  CHECK(element_size_bytes(type) == bytes);
  CHECK(element_type_name(type) == name);
}

TEST_CASE("the smallest element type holds the bits and no fewer") {
  CHECK(smallest_element_type(1, true) == ElementType::i8);
  CHECK(smallest_element_type(8, false) == ElementType::u8);
  CHECK(smallest_element_type(9, true) == ElementType::i16);
  CHECK(smallest_element_type(16, false) == ElementType::u16);
  CHECK(smallest_element_type(17, true) == ElementType::i32);
}

TEST_CASE("a stored integer is read back with its sign") {
  const auto [type, low, high] = GENERATE(table<ElementType, std::int64_t, std::int64_t>({
      {ElementType::i8, -128, 127},
      {ElementType::u8, 0, 255},
      {ElementType::i16, -32768, 32767},
      {ElementType::u16, 0, 65535},
      {ElementType::i32, INT32_MIN, INT32_MAX},
      {ElementType::i64, INT64_MIN, INT64_MAX},
  }));
  TensorData data(type, {2});
  data.set(0, low);
  data.set(1, high);
  CHECK(data.at(0) == low);
  CHECK(data.at(1) == high);
}

TEST_CASE("a value beyond the element type keeps its low bits") {
  TensorData data(ElementType::i8, {1});
  data.set(0, 0x1FF);
  CHECK(data.at(0) == -1);
}

TEST_CASE("a new tensor is zero and has the bytes of its shape") {
  const TensorData data(ElementType::i16, {2, 3});
  CHECK(data.bytes.size() == 12);
  CHECK(data.at(5) == 0);
  CHECK(TensorData(ElementType::f32, {}).bytes.size() == 4);
}

TEST_CASE("a float tensor has no integers") {
  TensorData data(ElementType::f32, {1});
  CHECK_THROWS_AS(data.at(0), std::logic_error);
  CHECK_THROWS_AS(data.set(0, 1), std::logic_error);
}

TEST_CASE("a shape prints as dimensions with an x between") {
  CHECK(to_string(Shape{1, 32, 32, 3}) == "1x32x32x3");
  CHECK(to_string(Shape{}) == "scalar");
}
