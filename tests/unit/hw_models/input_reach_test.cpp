// Which rows and columns of an input are fetched, against a list of what the taps touch.
#include "hw_models/core/input_reach.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>
#include <set>
#include <vector>

#include "hw_models/core/nest_cursor.h"

namespace qsim {
namespace {

std::vector<std::int64_t> positions(const Reach& reach) {
  std::vector<std::int64_t> list;
  for (std::int64_t k = 0; k < reach.count; ++k) list.push_back(reach.at(k));
  return list;
}

/// Tap by tap, what lies inside the tensor.
std::set<std::int64_t> touched(const InputDimension& d, std::int64_t o0, std::int64_t o1, std::int64_t k0,
                               std::int64_t k1) {
  std::set<std::int64_t> list;
  for (std::int64_t o = o0; o < o1; ++o) {
    for (std::int64_t k = k0; k < k1; ++k) {
      const std::int64_t at = o * d.stride - d.pad + k * d.dilation;
      if (at >= 0 && at < d.size) list.insert(at);
    }
  }
  return list;
}

TEST_CASE("a 1 x 1 kernel of stride 2 reads every second position") {
  const InputDimension d{2, 0, 1, 1, 9};
  CHECK(positions(input_reach(d, 0, 5, 0, 1, true)) == std::vector<std::int64_t>{0, 2, 4, 6, 8});
  CHECK(positions(input_reach(d, 0, 5, 0, 1, false)).size() == 9);
}

TEST_CASE("two taps of stride 5 and padding 1 read pairs, of which the first is cut by the border") {
  const InputDimension d{5, 1, 1, 1, 15};
  CHECK(positions(input_reach(d, 0, 4, 0, 2, true)) == std::vector<std::int64_t>{0, 4, 5, 9, 10, 14});
}

TEST_CASE("three taps of dilation 4 read what two outputs need of them") {
  const InputDimension d{1, 0, 4, 1, 20};
  CHECK(positions(input_reach(d, 3, 5, 0, 3, true)) == std::vector<std::int64_t>{3, 4, 7, 8, 11, 12});
  CHECK(positions(input_reach(d, 3, 4, 0, 3, true)) == std::vector<std::int64_t>{3, 7, 11});
}

TEST_CASE("what is fetched holds all that is touched, side by side, and no more where that is regular") {
  std::mt19937_64 engine(5);
  const auto between = [&](std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(engine() % static_cast<std::uint64_t>(high - low + 1));
  };
  int with_gaps = 0;
  for (int i = 0; i < 3000; ++i) {
    const InputDimension d{between(1, 6), between(0, 7), between(1, 5), 1, between(1, 40)};
    const std::int64_t o0 = between(0, 6);
    const std::int64_t o1 = o0 + between(1, 6);
    const std::int64_t k0 = between(0, 2);
    const std::int64_t k1 = k0 + between(1, 4);
    INFO("stride " << d.stride << ", padding " << d.pad << ", dilation " << d.dilation << ", size " << d.size
                   << ", outputs " << o0 << ".." << o1 << ", taps " << k0 << ".." << k1);
    const std::set<std::int64_t> needed = touched(d, o0, o1, k0, k1);
    const Reach reach = input_reach(d, o0, o1, k0, k1, true);
    const std::vector<std::int64_t> fetched = positions(reach);
    const std::set<std::int64_t> all(fetched.begin(), fetched.end());
    CHECK(all.size() == fetched.size());
    CHECK(std::includes(all.begin(), all.end(), needed.begin(), needed.end()));
    for (std::size_t k = 0; k < fetched.size(); ++k) CHECK(reach.index(fetched[k]) == std::int64_t(k));
    if (!fetched.empty()) CHECK((fetched.front() >= 0 && fetched.back() < d.size));
    if (d.dilation == 1 || d.stride == 1) CHECK(all == needed);
    CHECK(reach.count <= most_positions(d, o1 - o0, k1 - k0, true));
    CHECK(reach.count <= most_positions(d, o1 - o0 + between(0, 3), k1 - k0 + between(0, 2), true));
    const Reach whole = input_reach(d, o0, o1, k0, k1, false);
    CHECK(whole.count <= most_positions(d, o1 - o0, k1 - k0, false));
    with_gaps += reach.count < whole.count ? 1 : 0;
  }
  CHECK(with_gaps > 1000);
}

struct Layer {
  GemmProblem problem;
  GemmMapping mapping;
};

/// A 1 x 1 kernel of stride 2 on 8 x 8 pixels of so many int8 channels, in one tile, bursts of 64 bytes.
Layer strided(std::int64_t channels) {
  Layer layer;
  ConvolutionGeometry& g = layer.problem.geometry;
  g.input = {1, 8, 8, channels};
  g.output = {1, 4, 4, 1};
  g.stride_h = g.stride_w = 2;
  layer.problem.input = {g.input, {0, {64 * channels, 8 * channels, channels}, {8, true}}};
  layer.problem.skip_burst_bytes = 64;
  layer.mapping.tile_rows = layer.mapping.tile_columns = 4;
  layer.mapping.part_channels = channels;
  return layer;
}

InputSkips skips(const Layer& layer) {
  return GemmCursor(layer.problem, layer.mapping).skips();
}

TEST_CASE("pixels are skipped where that moves fewer bursts") {
  // Of two pixels one is fetched: of 64 bytes one burst instead of two, of 32 bytes one burst either way.
  CHECK(skips(strided(64)).columns);
  CHECK_FALSE(skips(strided(32)).columns);
  // 48 bytes at 0, 96, 192, ..: one burst and two by turns, 1.5 on the average, as many as of all 96 bytes.
  CHECK_FALSE(skips(strided(48)).columns);
  // 80 bytes at 0, 160, 320, 480, ..: two bursts; of all 160 bytes two and a half.
  CHECK(skips(strided(80)).columns);
}

TEST_CASE("rows are skipped where that moves fewer bursts") {
  const auto every_second_row = [](std::int64_t channels) {
    Layer layer = strided(channels);
    layer.problem.geometry.stride_w = 1;
    layer.problem.geometry.output[kColumn] = layer.mapping.tile_columns = 8;
    return layer;
  };
  CHECK(skips(every_second_row(8)).rows);        // rows of 64 bytes
  CHECK_FALSE(skips(every_second_row(4)).rows);  // two rows in a burst
  CHECK_FALSE(skips(every_second_row(8)).columns);
}

TEST_CASE("nothing is skipped of what stays in the buffer, or on a chip that fetches all") {
  Layer layer = strided(64);
  layer.mapping.input_resident = true;
  CHECK_FALSE((skips(layer).rows || skips(layer).columns));
  layer = strided(64);
  layer.problem.skip_burst_bytes = 0;
  CHECK_FALSE((skips(layer).rows || skips(layer).columns));
}

TEST_CASE("of some channels of each pixel what is not touched is skipped, however small") {
  Layer layer = strided(32);
  layer.mapping.part_channels = 16;  // each pixel a run by itself
  CHECK(skips(layer).columns);
}

}  // namespace
}  // namespace qsim
