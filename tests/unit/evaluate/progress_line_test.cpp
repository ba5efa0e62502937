#include <catch2/catch.hpp>

#include "sim/cli/progress_bar.h"

namespace qsim::cli {
namespace {

TEST_CASE("a progress line shows share, rate and what is left") {
  CHECK(progress_line(0, 300, 0.0, "images") == "[------------------------------] 0 of 300 images");
  CHECK(progress_line(100, 300, 2.0, "images") ==
        "[##########--------------------] 100 of 300 images, 50/s, 4 s left");
  CHECK(progress_line(300, 300, 2.0, "images") ==
        "[##############################] 300 of 300 images, 150/s, 0 s left");
}

TEST_CASE("long rests are in minutes and hours") {
  CHECK(progress_line(1, 101, 1.0, "images").find("1.0/s, 1 min 40 s left") != std::string::npos);
  CHECK(progress_line(1, 7201, 1.0, "images").find("2 h 00 min left") != std::string::npos);
}

}  // namespace
}  // namespace qsim::cli
