#include "base/printable.h"

#include <catch2/catch.hpp>

using qsim::printable;

TEST_CASE("letters of all languages stay as they are") {
  CHECK(printable("conv1/weights") == "conv1/weights");
  CHECK(printable("größe 尺寸 размер \xf0\x9f\x98\x80") == "größe 尺寸 размер \xf0\x9f\x98\x80");
}

TEST_CASE("what moves the cursor or breaks the line is escaped") {
  CHECK(printable("a\nb\rc\td") == R"(a\nb\rc\td)");
  CHECK(printable(std::string("\x1b[31m\x07\0\x7f", 8)) == R"(\x1b[31m\x07\x00\x7f)");
  CHECK(printable("\xc2\x9b"
                  "2J") == R"(\u{9b}2J)");  // C1: a control sequence of one character
  CHECK(printable("\xe2\x80\xa8|\xe2\x80\xa9") == R"(\u{2028}|\u{2029})");
}

TEST_CASE("what turns the direction of writing is escaped") {
  CHECK(printable("\xe2\x80\xae\xe2\x81\xa6\xe2\x80\x8f") == R"(\u{202e}\u{2066}\u{200f})");
}

TEST_CASE("bytes that are no UTF-8 are escaped one by one") {
  CHECK(printable("\xff\xfe") == R"(\xff\xfe)");
  CHECK(printable("\xc0\xaf") == R"(\xc0\xaf)");                  // longer than needed
  CHECK(printable("\xed\xa0\x80") == R"(\xed\xa0\x80)");          // a surrogate
  CHECK(printable("\xf4\x90\x80\x80") == R"(\xf4\x90\x80\x80)");  // above U+10FFFF
  CHECK(printable("a\xe2\x82") == R"(a\xe2\x82)");                // cut short
  CHECK(printable("\x80z") == R"(\x80z)");
}

TEST_CASE("a long text is cut between code points") {
  std::string text;
  for (int i = 0; i < 100; ++i) text += "ü";
  for (std::size_t limit = 20; limit < 60; ++limit) {
    const std::string line = printable(text, limit);
    CAPTURE(limit, line);
    CHECK(line.size() <= limit);
    CHECK(line.size() >= limit - 4);
    CHECK(line.find('\\') == std::string::npos);
    CHECK(line.find(" ... ") != std::string::npos);
  }
  CHECK(printable(text, 200) == text);
}

TEST_CASE("bytes that are no UTF-8 become replacement characters, the rest stays") {
  CHECK(qsim::valid_utf8("a\xff\n\xc3\xbc\xe2\x82") == "a\xef\xbf\xbd\n\xc3\xbc\xef\xbf\xbd\xef\xbf\xbd");
  CHECK(qsim::valid_utf8("").empty());
}
