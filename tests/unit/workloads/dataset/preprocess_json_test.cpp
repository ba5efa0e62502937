#include <catch2/catch.hpp>

#include "tests/unit/workloads/dataset/dataset_files.h"
#include "workloads/dataset/preprocess.h"

using qsim::Interpolation;
using qsim::Preprocess;
using qsim::read_preprocess;

namespace {

Preprocess read(const std::string& text) {
  const ScratchFolder folder;
  return read_preprocess(write_text(folder, "p.json", text), {});
}

/// "place: expected" of each problem.
std::vector<std::string> problems_in(const std::string& text) {
  std::vector<std::string> all;
  for (const qsim::Problem& problem : problems_of([&] { (void)read(text); })) {
    all.push_back(problem.place + ": " + problem.expected);
  }
  return all;
}

}  // namespace

TEST_CASE("an empty object takes pixels as they are") {
  const Preprocess preprocess = read("{}");
  CHECK(preprocess.channels == qsim::ImageChannels::as_stored);
  CHECK(preprocess.steps.empty());
  CHECK_FALSE(preprocess.unit_scale);
  CHECK(preprocess.mean == std::vector<float>{0.0F});
  CHECK(preprocess.std == std::vector<float>{1.0F});
}

TEST_CASE("every field of a preprocessing is read") {
  const Preprocess preprocess = read(R"({
    "description": "d", "channels": "BGR", "unit_scale": true, "mean": [1, 2.5, 3], "std": 4,
    "steps": [{"resize_shorter_side": 9, "interpolation": "lanczos"}, {"center_crop": [5, 6]},
              {"center_crop_fraction": 0.25}, {"resize": [7, 8], "interpolation": "nearest"}]})");
  CHECK(preprocess.channels == qsim::ImageChannels::bgr);
  CHECK(preprocess.unit_scale);
  CHECK(preprocess.mean == std::vector<float>{1.0F, 2.5F, 3.0F});
  CHECK(preprocess.std == std::vector<float>{4.0F});
  REQUIRE(preprocess.steps.size() == 4);
  const auto& shorter = std::get<qsim::ResizeShorterSide>(preprocess.steps[0]);
  CHECK((shorter.size == 9 && shorter.interpolation == Interpolation::lanczos));
  const auto& crop = std::get<qsim::CenterCrop>(preprocess.steps[1]);
  CHECK((crop.height == 5 && crop.width == 6));
  CHECK(std::get<qsim::CenterCropFraction>(preprocess.steps[2]).fraction == 0.25);
  const auto& resize = std::get<qsim::ResizeTo>(preprocess.steps[3]);
  CHECK((resize.height == 7 && resize.width == 8 && resize.interpolation == Interpolation::nearest));
}

TEST_CASE("all problems of a preprocessing are told at once") {
  const auto problems = problems_in(R"({
    "channels": "rgb", "mean": [1, 2], "std": [1, 0, 1], "unit_scale": 1, "colour": 3,
    "steps": [{"resize": [7], "interpolation": "bilinear"}, {"resize": [7, 8], "interpolation": "cubic"},
              {"center_crop": [5, 6], "center_crop_fraction": 0.5}, {"center_crop_fraction": 1.5}, {}, 3,
              {"center_crop": [0, 6]}, {"center_crop": [5, 6], "interpolation": "nearest"},
              {"resize_shorter_side": 5}]})");
  const std::vector<std::string> places{"channels",
                                        "steps[0].resize",
                                        "steps[1].interpolation",
                                        "steps[2]",
                                        "steps[3].center_crop_fraction",
                                        "steps[4]",
                                        "steps[5]",
                                        "steps[6].center_crop[0]",
                                        "steps[7].interpolation",
                                        "steps[8].interpolation",
                                        "unit_scale",
                                        "mean",
                                        "std[1]",
                                        "colour"};
  REQUIRE(problems.size() == places.size());
  for (std::size_t i = 0; i < places.size(); ++i)
    CHECK_THAT(problems[i], Catch::StartsWith(places[i] + ": "));
}

TEST_CASE("grey has one mean, and steps are limited in number") {
  CHECK(problems_in(R"({"channels": "grey", "mean": [1, 2, 3], "std": [1, 1, 1]})").size() == 2);
  const auto steps = [](int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += std::string(i > 0 ? "," : "") + R"({"center_crop_fraction": 1})";
    return problems_in("{\"steps\": [" + text + "]}");
  };
  CHECK(steps(16).empty());
  CHECK(steps(17).size() == 1);
}

TEST_CASE("a preprocessing that is no JSON object is refused") {
  CHECK(problems_in("[]").size() == 1);
  CHECK(problems_in("{").size() == 1);
}

TEST_CASE("what ships is found by name with and without .json, a file goes first") {
  const ScratchFolder shipped, folder;
  write_text(shipped, "one.json", R"({"mean": 1})");
  write_text(shipped, "two.json", R"({"mean": 2})");
  const std::vector<std::string> dirs{folder.path("none"), shipped.path("")};
  CHECK(read_preprocess("one", dirs).mean[0] == 1.0F);
  CHECK(read_preprocess("two.json", dirs).mean[0] == 2.0F);
  CHECK(read_preprocess(write_text(folder, "one", R"({"mean": 3})"), dirs).mean[0] == 3.0F);
  const qsim::Problem problem = problems_of([&] { (void)read_preprocess("onee", dirs); }).at(0);
  CHECK(problem.expected == "a file that exists, or one of one, two");
  CHECK(problem.hint == "did you mean one?");
  CHECK(problems_of([&] { (void)read_preprocess("../one", dirs); }).size() == 1);
  CHECK_THAT(qsim::no_preprocess(dirs).remedy, Catch::EndsWith("these ship: one, two"));
}

TEST_CASE("every preprocessing that ships is read") {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(QSIM_PREPROCESS_FOLDER)) {
    INFO(entry.path());
    CHECK(read_preprocess(entry.path().stem().string(), {QSIM_PREPROCESS_FOLDER}).steps.size() <= 2);
    ++count;
  }
  CHECK(count >= 2);
}
