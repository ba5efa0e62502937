#include "base/csv.h"

#include <catch2/catch.hpp>

using qsim::CsvReader;

namespace {

using Fields = std::vector<std::string>;

std::vector<CsvReader::Record> records(std::string_view text) {
  CsvReader csv(text);
  std::vector<CsvReader::Record> all;
  for (CsvReader::Record record; csv.next(record);) all.push_back(record);
  return all;
}

}  // namespace

TEST_CASE("lines end in LF, CRLF or nothing; empty ones are skipped") {
  const auto all = records("a,b\r\n\r\n1,2\n\n3,4");
  REQUIRE(all.size() == 3);
  CHECK(all[0].fields == Fields{"a", "b"});
  CHECK(all[1].fields == Fields{"1", "2"});
  CHECK(all[1].line == 3);
  CHECK(all[2].fields == Fields{"3", "4"});
  CHECK(all[2].line == 5);
  CHECK(records("").empty());
  CHECK(records("\n\r\n").empty());
}

TEST_CASE("a quoted field holds commas, quotes and line ends") {
  const auto all = records("\"a,b\",\"say \"\"hi\"\"\"\n\"two\r\nlines\",x\n");
  REQUIRE(all.size() == 2);
  CHECK(all[0].fields == Fields{"a,b", "say \"hi\""});
  CHECK(all[1].fields == Fields{"two\r\nlines", "x"});
  CHECK(all[1].line == 2);
}

TEST_CASE("empty fields count, and a byte order mark does not") {
  CHECK(records("\xEF\xBB\xBF,x,\n").at(0).fields == Fields{"", "x", ""});
  CHECK(records("\"\"\n").at(0).fields == Fields{""});
  CHECK(records("a\rb\n").at(0).fields == Fields{"a\rb"});  // a carriage return alone ends no line
}

TEST_CASE("wrong quotes are told with the line of their record") {
  CHECK(records("a\n\"x\n").at(1).error == "a quote that is not closed");
  CHECK(records("a\nx\"y,z\nb\n").at(1).error == "a quote inside a field that is not quoted");
  CHECK(records("\"x\"y\n").at(0).error == "text behind a closing quote");
  CHECK(records("a\nx\"y,z\nb\n").at(2).error.empty());
}
