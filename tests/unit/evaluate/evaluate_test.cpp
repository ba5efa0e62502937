#include "sim/evaluate/evaluate.h"

#include <catch2/catch.hpp>

#include "base/error.h"
#include "sim/config/load_hardware.h"
#include "sim/simulate.h"
#include "workloads/readers/load.h"

namespace qsim {
namespace {

using Catch::Matchers::Contains;

/// 32 x 32 images of one colour each; images in `broken` cannot be read.
class Colours : public Dataset {
 public:
  explicit Colours(std::int64_t count, std::vector<std::int64_t> broken = {})
      : count_(count), broken_(std::move(broken)) {}
  [[nodiscard]] std::int64_t size() const override { return count_; }
  [[nodiscard]] std::int64_t label(std::int64_t index) const override { return index % 10; }
  [[nodiscard]] std::string name(std::int64_t index) const override {
    return "colour#" + std::to_string(index);
  }
  [[nodiscard]] std::int64_t label_count() const override { return 10; }
  [[nodiscard]] Image image(std::int64_t index) const override {
    if (std::find(broken_.begin(), broken_.end(), index) != broken_.end()) {
      throw InputError({name(index), "byte 7", "0", "a colour", "paint it"});
    }
    Image image(32, 32, 3);
    for (std::size_t i = 0; i < image.pixels.size(); ++i) {
      image.pixels[i] = static_cast<std::uint8_t>((static_cast<std::size_t>(index) * 37 + i % 3 * 50) % 256);
    }
    return image;
  }

 private:
  std::int64_t count_;
  std::vector<std::int64_t> broken_;
};

/// resnet8's input is 1/255 a step: value = pixel / 255.
Preprocess unit_pixels() {
  Preprocess preprocess;
  preprocess.unit_scale = true;
  return preprocess;
}

struct Bench {
  HardwareConfig hardware = load_hardware("npu", {}, {std::string(QSIM_SOURCE_FOLDER) + "/configs"});
  Graph graph = load_workload("resnet8", {std::string(QSIM_SOURCE_FOLDER) + "/workloads/models"});

  [[nodiscard]] Evaluation run(const Dataset& data, const EvaluateOptions& options = {}) const {
    return evaluate(hardware, graph, data, unit_pixels(), options);
  }
};

TEST_CASE("each image gives what a run of its own gives") {
  const Bench bench;
  const Colours data(12);
  EvaluateOptions options;
  options.jobs = 2;
  const Evaluation evaluation = bench.run(data, options);
  REQUIRE(evaluation.predictions.size() == 12);
  std::int64_t right = 0;
  std::int64_t greatest = std::numeric_limits<std::int64_t>::min();
  for (std::int64_t i = 0; i < 12; ++i) {
    const Tensor& input = bench.graph.tensor(bench.graph.inputs[0]);
    const RunResult run = simulate(bench.hardware, bench.graph,
                                   {preprocess_image(data.image(i), unit_pixels(), input, "image")});
    const TensorData& scores = run.outputs[0].data;
    std::int32_t best = 0;
    for (std::int32_t c = 1; c < scores.size(); ++c) best = scores.at(c) > scores.at(best) ? c : best;
    const Prediction& prediction = evaluation.predictions[static_cast<std::size_t>(i)];
    CHECK(prediction.classes.front() == best);
    CHECK(prediction.label == i % 10);
    right += best == i % 10 ? 1 : 0;
    greatest = std::max(greatest, run.layers.front().accumulator->max);
    CHECK(evaluation.inference.total_cycles == run.total_cycles);
  }
  CHECK(evaluation.top1.correct == right);
  CHECK(evaluation.top1.total == 12);
  REQUIRE(evaluation.inference.layers.front().accumulator.has_value());
  CHECK(evaluation.inference.layers.front().accumulator->max == greatest);
}

TEST_CASE("images that cannot be read are counted and left out") {
  const Bench bench;
  const Evaluation evaluation = bench.run(Colours(10, {2, 7}));
  CHECK(evaluation.failed == 2);
  CHECK(evaluation.top1.total == 8);
  CHECK_FALSE(evaluation.predictions[2].is_read());
  CHECK_THAT(evaluation.predictions[7].problem, Contains("colour#7") && Contains("paint it"));
  CHECK(evaluation.predictions[8].is_read());
}

TEST_CASE("a strict evaluation names the first image that cannot be read, whatever the processes") {
  const Bench bench;
  for (const int jobs : {1, 3}) {
    EvaluateOptions options;
    options.jobs = jobs;
    options.strict = true;
    CHECK_THROWS_WITH(bench.run(Colours(40, {30, 5, 6}), options),
                      Contains("colour#5") && Contains("paint it"));
  }
}

TEST_CASE("a set without a readable image is an error") {
  const Bench bench;
  CHECK_THROWS_AS(bench.run(Colours(3, {0, 1, 2})), InputError);
}

TEST_CASE("a limit spreads the images over the set") {
  const Bench bench;
  EvaluateOptions options;
  options.limit = 4;
  const Evaluation evaluation = bench.run(Colours(10), options);
  std::vector<std::int64_t> chosen;
  for (const Prediction& p : evaluation.predictions) chosen.push_back(p.index);
  CHECK(chosen == std::vector<std::int64_t>{0, 2, 5, 7});  // floor(i * 10 / 4)
  options.limit = 99;
  CHECK(bench.run(Colours(10), options).predictions.size() == 10);
}

TEST_CASE("inputs are kept in the order of the images") {
  const Bench bench;
  EvaluateOptions options;
  options.jobs = 3;
  options.keep_inputs = true;
  const Evaluation evaluation = bench.run(Colours(6), options);
  REQUIRE(evaluation.inputs);
  CHECK(evaluation.inputs->shape == Shape{6, 32, 32, 3});
  for (std::int64_t i = 0; i < 6; ++i) {
    // Red of image i is (37 i) % 256; scale 1/255, zero point -128 make it pixel - 128.
    CHECK(evaluation.inputs->at(i * 32 * 32 * 3) == 37 * i % 256 - 128);
  }
}

TEST_CASE("a label that the network has no class for is an error before the run") {
  const Bench bench;
  EvaluateOptions options;
  options.label_offset = 5;
  CHECK_THROWS_WITH(bench.run(Colours(10), options),
                    Contains("label") && Contains("-5 to 4") && Contains("--label-offset"));
}

TEST_CASE("overflows of all images add up") {
  Bench bench;
  bench.hardware.accumulators.width_bits = 16;
  const std::int64_t one = bench.run(Colours(1)).inference.layers.front().accumulator->overflows;
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < 3; ++i) {
    const Tensor& input = bench.graph.tensor(bench.graph.inputs[0]);
    const RunResult run = simulate(bench.hardware, bench.graph,
                                   {preprocess_image(Colours(3).image(i), unit_pixels(), input, "image")});
    sum += run.layers.front().accumulator->overflows;
    if (i == 0) CHECK(run.layers.front().accumulator->overflows == one);
  }
  EvaluateOptions options;
  options.jobs = 2;
  CHECK(bench.run(Colours(3), options).inference.layers.front().accumulator->overflows == sum);
}

}  // namespace
}  // namespace qsim
