#include "sim/check/text_layout.h"

#include <catch2/catch.hpp>

using namespace qsim;

TEST_CASE("a text takes exactly the columns asked for") {
  CHECK(to_columns("abc", 5) == "abc  ");
  CHECK(to_columns("abcde", 5) == "abcde");
  CHECK(to_columns("abcdefghijkl", 9) == "ab...ijkl");
  CHECK(to_columns("", 2) == "  ");
  CHECK(to_columns("abcdef", 3) == "...");
}

TEST_CASE("letters of several bytes take one column and are never cut") {
  CHECK(columns_of("\xC3\xA4\xE2\x82\xAC") == 2);
  CHECK(to_columns("\xC3\xA4", 3) == "\xC3\xA4  ");
  CHECK(to_columns("\xC3\xA4\xC3\xB6\xC3\xBC\xC3\xA4\xC3\xB6\xC3\xBC", 5) == "...\xC3\xB6\xC3\xBC");
}

TEST_CASE("control characters do not reach the terminal") {
  CHECK(to_columns("a\x1B[31m\n", 7) == "a?[31m?");
  CHECK(wrapped("", "a\tb\x7F", 20) == "a?b?\n");
}

TEST_CASE("lines break at spaces and are indented behind the first") {
  CHECK(wrapped("to do: ", "one two three", 12) == "to do: one\n    two\n    three\n");
  CHECK(wrapped("  node 1: ", "one two", 13) == "  node 1: one\n      two\n");
  CHECK(wrapped("", "short", 12) == "short\n");
  CHECK(wrapped("", "unbreakable", 4) == "unbreakable\n");
}

TEST_CASE("numbers in sequence become ranges") {
  CHECK(ranges_of({0, 1, 2, 5, 7, 8}) == "0-2, 5, 7, 8");
  CHECK(ranges_of({3}) == "3");
  CHECK(ranges_of({}).empty());
}
