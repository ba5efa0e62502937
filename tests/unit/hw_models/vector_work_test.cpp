// What a tile of the vector unit costs and computes, without SystemC.
#include "hw_models/core/vector_work.h"

#include <catch2/catch.hpp>
#include <vector>

namespace qsim {
namespace {

/// Maximum over two neighbours of a row of 6 pixels with 2 channels; the input lies at byte 0, the output
/// at 64.
VectorNest pool_nest() {
  VectorProblem problem;
  problem.function = arithmetic::WindowFunction{arithmetic::MaxPoolFunction{}};
  problem.window = {1, 1, 2, 1};
  VectorInput input;
  input.tensor.dims = {1, 1, 6, 2};
  input.stride = {1, 1, 2, 1};
  problem.inputs.push_back(input);
  VectorPlacement placement;
  placement.inputs.resize(1);
  placement.inputs[0].buffer.format = {8, true};
  placement.output.buffer.format = {8, true};
  return {0, problem, VectorMapping{}, placement};
}

VectorTile tile_of(const VectorNest& nest) {
  VectorTile tile;
  tile.nest = &nest;
  tile.output = {{0, 0, 0, 0}, {1, 1, 3, 2}};
  tile.inputs[0].strides = {0, 0, 2};
  tile.inputs[0].format = {8, true};
  tile.destination.base = 64;
  tile.destination.strides = {0, 0, 2};
  tile.destination.format = {8, true};
  return tile;
}

TEST_CASE("a window costs a lane slot for each of its elements") {
  const VectorNest nest = pool_nest();
  const VectorCost cost = vector_cost(tile_of(nest));
  CHECK(cost.adds == 6 * 2);
  CHECK(cost.multiplies == 0);
  CHECK(cost.lane_operations == 6 * 2);
  CHECK(cost.read_bytes == 6 * 2);
  CHECK(cost.write_bytes == 6);
}

TEST_CASE("a tile is computed from the bytes of the buffer") {
  const VectorNest nest = pool_nest();
  BufferStorage storage("activations", 128);
  const std::vector<std::int64_t> input = {1, -5, 4, -7, -2, 9, -3, 8, 0, 0, 5, -1};  // [pixel][channel]
  for (std::size_t i = 0; i < input.size(); ++i) {
    storage.write(8 * static_cast<std::int64_t>(i), {8, true}, input[i]);
  }
  compute_vector_tile(tile_of(nest), storage);
  std::vector<std::int64_t> output;
  for (std::int64_t i = 0; i < 6; ++i) output.push_back(storage.read(8 * (64 + i), {8, true}));
  CHECK(output == std::vector<std::int64_t>{4, -5, -2, 9, 5, 0});
}

}  // namespace
}  // namespace qsim
