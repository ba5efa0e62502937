// AdaRound's choices against all choices, in double.
#include "quantization/rounding_search.h"

#include <algorithm>
#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <random>

using namespace qsim;

namespace {

/// One output of `depth` weights on correlated inputs, with what the unrounded weights make as its target.
RoundingProblem random_row(std::mt19937& random, std::int64_t depth, bool has_relu) {
  std::normal_distribution<float> normal;
  RoundingProblem problem;
  problem.outputs = 1;
  problem.depth = depth;
  problem.samples = 64;
  problem.low = has_relu ? 0.0F : -std::numeric_limits<float>::infinity();
  problem.high = std::numeric_limits<float>::infinity();
  problem.bias = {0.3F * normal(random)};
  std::vector<float> weights;
  for (std::int64_t k = 0; k < depth; ++k) {
    const float w = 3.0F * normal(random);
    weights.push_back(w);
    problem.down.push_back(std::floor(w));
    problem.up.push_back(std::floor(w) + 1.0F);
    problem.fraction.push_back(w - std::floor(w));
  }
  for (std::int64_t s = 0; s < problem.samples; ++s) {
    const float common = normal(random);
    double sum = static_cast<double>(problem.bias[0]);
    for (std::int64_t k = 0; k < depth; ++k) {
      const float x = 0.5F + common + normal(random);
      problem.inputs.push_back(x);
      sum += static_cast<double>(x) * static_cast<double>(weights[static_cast<std::size_t>(k)]);
    }
    problem.targets.push_back(std::max(static_cast<float>(sum), problem.low));
  }
  return problem;
}

/// Mean squared error of one output; bit k of `choice`: weight k is up.
double error_of(const RoundingProblem& problem, std::uint32_t choice) {
  double error = 0.0;
  for (std::int64_t s = 0; s < problem.samples; ++s) {
    double y = static_cast<double>(problem.bias[0]);
    for (std::int64_t k = 0; k < problem.depth; ++k) {
      const auto i = static_cast<std::size_t>(k);
      const double w = static_cast<double>((choice >> k & 1U) != 0 ? problem.up[i] : problem.down[i]);
      y += w * static_cast<double>(problem.inputs[static_cast<std::size_t>(s * problem.depth + k)]);
    }
    y = std::max(y, static_cast<double>(problem.low));
    const double difference = y - static_cast<double>(problem.targets[static_cast<std::size_t>(s)]);
    error += difference * difference;
  }
  return error / static_cast<double>(problem.samples);
}

std::uint32_t bits_of(const std::vector<std::uint8_t>& is_up) {
  std::uint32_t bits = 0;
  for (std::size_t k = 0; k < is_up.size(); ++k) bits |= static_cast<std::uint32_t>(is_up[k]) << k;
  return bits;
}

std::uint32_t nearest(const RoundingProblem& problem) {
  std::uint32_t bits = 0;
  for (std::size_t k = 0; k < problem.fraction.size(); ++k) {
    if (problem.fraction[k] > 0.5F) bits |= 1U << k;
  }
  return bits;
}

/// The least error of all choices for one output, from the definition, in double.
double enumerated_optimum(const RoundingProblem& problem) {
  double best = std::numeric_limits<double>::infinity();
  const auto depth = static_cast<std::size_t>(problem.depth);
  const auto samples = static_cast<std::size_t>(problem.samples);
  std::vector<double> y(samples);
  for (std::size_t s = 0; s < samples; ++s) {
    y[s] = static_cast<double>(problem.bias[0]);
    for (std::size_t k = 0; k < depth; ++k)
      y[s] += static_cast<double>(problem.down[k]) * static_cast<double>(problem.inputs[s * depth + k]);
  }
  std::uint32_t choice = 0;
  for (std::uint32_t count = 0; count < 1U << depth; ++count) {
    const std::uint32_t next = count ^ (count >> 1U);  // Gray code: one weight turns
    if (next != choice) {
      const auto k = static_cast<std::size_t>(std::countr_zero(next ^ choice));
      const double turn = (static_cast<double>(problem.up[k]) - static_cast<double>(problem.down[k])) *
                          ((next >> k & 1U) != 0 ? 1.0 : -1.0);
      for (std::size_t s = 0; s < samples; ++s)
        y[s] += turn * static_cast<double>(problem.inputs[s * depth + k]);
      choice = next;
    }
    double sum = 0.0;
    for (std::size_t s = 0; s < samples; ++s) {
      const double made =
          std::clamp(y[s], static_cast<double>(problem.low), static_cast<double>(problem.high));
      sum +=
          (made - static_cast<double>(problem.targets[s])) * (made - static_cast<double>(problem.targets[s]));
    }
    best = std::min(best, sum / static_cast<double>(samples));
  }
  return best;
}

}  // namespace

TEST_CASE("few weights get the best of all choices") {
  std::mt19937 random(1);
  for (int row = 0; row < 60; ++row) {
    const std::int64_t depth = row % 20 == 0 ? 12 : 1 + row % 9;
    const RoundingProblem problem = random_row(random, depth, row % 2 == 0);
    const double found = error_of(problem, bits_of(search_rounding(problem, {500, 1, 1})));
    double best = found;
    for (std::uint32_t choice = 0; choice < 1U << depth; ++choice) {
      best = std::min(best, error_of(problem, choice));
    }
    CHECK(found <= best * (1.0 + 1e-4));
  }
}

TEST_CASE("of many weights no output is worse than rounded to nearest, and common errors are balanced") {
  std::mt19937 random(2);
  double nearest_errors = 0.0;
  double errors = 0.0;
  for (int row = 0; row < 20; ++row) {
    const RoundingProblem problem = random_row(random, 26, row % 2 == 0);
    const double found = error_of(problem, bits_of(search_rounding(problem, {500, 1, 1})));
    const double rounded = error_of(problem, nearest(problem));
    CHECK(found <= rounded * (1.0 + 1e-5));
    errors += found;
    nearest_errors += rounded;
  }
  // x_k = 1/2 + common + own: an output's error is sum_k e_k^2 + (1 + 1/4) (sum_k e_k)^2. Nearest has
  // sum_k e_k^2 in the mean for the second sum too; choices that balance the e_k leave the first alone.
  CHECK(errors < nearest_errors / 2.25);
}

TEST_CASE("choices do not depend on the number of threads") {
  std::mt19937 random(2);
  std::normal_distribution<float> normal;
  RoundingProblem problem;
  problem.outputs = 40;
  problem.depth = 30;
  problem.samples = 1500;  // three batches
  problem.low = 0.0F;
  problem.high = 6.0F;
  problem.bias.assign(40, 0.1F);
  for (int i = 0; i < 40 * 30; ++i) {
    const float w = normal(random);
    problem.down.push_back(std::floor(w));
    problem.up.push_back(std::floor(w) + 1.0F);
    problem.fraction.push_back(w - std::floor(w));
  }
  for (int i = 0; i < 1500 * 30; ++i) problem.inputs.push_back(normal(random));
  for (int i = 0; i < 1500 * 40; ++i) problem.targets.push_back(std::max(normal(random), 0.0F));
  const std::vector<std::uint8_t> one = search_rounding(problem, {60, 1, 1});
  CHECK(search_rounding(problem, {60, 1, 2}) == one);
  CHECK(search_rounding(problem, {60, 1, 7}) == one);
}

TEST_CASE("errors are means over the samples, behind the activation") {
  RoundingProblem problem;
  problem.outputs = 1;
  problem.depth = 2;
  problem.samples = 2;
  problem.low = 0.0F;
  problem.high = 6.0F;
  problem.down = {1.0F, -2.0F};
  problem.up = {2.0F, -1.0F};
  problem.fraction = {0.5F, 0.5F};
  problem.bias = {0.5F};
  problem.inputs = {1.0F, 1.0F, 3.0F, 1.0F};
  problem.targets = {1.0F, 2.0F};
  // Down, up: y = 1*1 - 1*1 + 0.5 = 0.5 and 3 - 1 + 0.5 = 2.5: (0.25 + 0.25) / 2.
  CHECK(rounding_errors(problem, {0, 1})[0] == Approx(0.25));
  // Up, up: 2 - 1 + 0.5 = 1.5 and 6 - 1 + 0.5 = 5.5: (0.25 + 12.25) / 2.
  CHECK(rounding_errors(problem, {1, 1})[0] == Approx(6.25));
  // Down, down: -0.5 -> 0 and 1.5: (1 + 0.25) / 2.
  CHECK(rounding_errors(problem, {0, 0})[0] == Approx(0.625));
}

TEST_CASE("of 200 random rows of at most 14 weights the search is within 5 % of the optimum on 95 %") {
  std::mt19937 random(3);
  int near = 0;
  int relaxed_near = 0;
  for (int row = 0; row < 200; ++row) {
    CAPTURE(row);
    const RoundingProblem problem = random_row(random, 2 + row % 13, row % 2 == 0);
    const double best = enumerated_optimum(problem);
    RoundingOptions options;
    options.iterations = 1000;
    near += error_of(problem, bits_of(search_rounding(problem, options))) <= 1.05 * best ? 1 : 0;
    // As layers of more weights are searched: the relaxation, then weights turned one by one.
    options.tries_all = false;
    const double relaxed = error_of(problem, bits_of(search_rounding(problem, options)));
    relaxed_near += relaxed <= 1.05 * best ? 1 : 0;
    CHECK(relaxed <= error_of(problem, nearest(problem)) * (1.0 + 1e-5));
  }
  CHECK(near >= 190);
  CHECK(relaxed_near >= 190);
}
