// Serialized tiles of random layers take the cycles of SCALE-Sim's closed forms.
//
// SCALE-Sim counts every tile at its full size and tiles strictly one after the other; E output pixels, K
// reduction elements, F filters, R x C the array, all divisions rounded up (it counts from 0, hence minus 1):
//
//   weight stationary   (K/R) (F/C) (2R + C + E - 2)
//   input stationary    (K/R) (E/C) (2R + C + F - 2)
//   output stationary   (E/R) (F/C) ( R + C + K - 2)
#include <catch2/catch.hpp>

#include <random>

#include "hw_models/run_chip.h"
#include "sim/compiler/compile.h"
#include "sim/simulate.h"
#include "tests/unit/simulate/draws.h"
#include "tests/unit/simulate/layer_graph.h"

namespace qsim {
namespace {

constexpr int kLayersPerDataflow = 1000;

std::int64_t closed_form(Dataflow dataflow, std::int64_t e, std::int64_t k, std::int64_t f, std::int64_t r,
                         std::int64_t c) {
  const auto pieces = [](std::int64_t size, std::int64_t of) { return (size + of - 1) / of; };
  switch (dataflow) {
    case Dataflow::weight_stationary:
      return pieces(k, r) * pieces(f, c) * (2 * r + c + e - 2);
    case Dataflow::input_stationary:
      return pieces(k, r) * pieces(e, c) * (2 * r + c + f - 2);
    case Dataflow::output_stationary:
      break;
  }
  return pieces(e, r) * pieces(f, c) * (r + c + k - 2);
}

/// A chip on which nothing but the array takes time that is not hidden: everything lies in the buffers, every
/// layer is one pass of full size, ports and requantizer keep pace.
HardwareConfig scale_sim_chip(Dataflow dataflow, std::int64_t rows, std::int64_t columns) {
  HardwareConfig chip;
  chip.mac_array.rows = rows;
  chip.mac_array.columns = columns;
  chip.mac_array.dataflow = dataflow;
  chip.mac_array.double_buffered_weights = false;
  chip.mapper.largest_tiles = true;
  chip.weight_buffer = {1 << 14, 16, 8192, 8192, true};
  chip.activation_buffer = {1 << 14, 16, 8192, 8192, true};
  chip.accumulators.entries = 1 << 20;
  chip.dram.kind = DramKind::none;
  return chip;
}

TEST_CASE("serialized tiles take the cycles of SCALE-Sim's closed forms on random layers") {
  std::mt19937_64 engine(20);
  const auto between = [&](std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(engine() % static_cast<std::uint64_t>(high - low + 1));
  };
  for (const Dataflow dataflow :
       {Dataflow::weight_stationary, Dataflow::input_stationary, Dataflow::output_stationary}) {
    for (int i = 0; i < test::draws(kLayersPerDataflow); ++i) {
      test::LayerSize size;
      size.kernel = between(0, 2) * 2 + 1;
      size.stride = between(1, 2);
      size.height = between(1, 12);
      size.width = between(1, 12);
      size.channels = between(1, 48);
      size.outputs = between(1, 64);
      const std::int64_t rows = between(1, 32);
      const std::int64_t columns = between(1, 32);
      const Graph graph = test::layer_graph(size);
      const RunResult run = simulate(scale_sim_chip(dataflow, rows, columns), graph, {}, {Values::none});
      const auto cycles = [&](CycleClass c) { return run.cycles[static_cast<std::size_t>(c)]; };
      const Shape& out = graph.tensor(graph.outputs[0]).shape;
      INFO(size.height << "x" << size.width << "x" << size.channels << " kernel " << size.kernel << " stride "
                       << size.stride << " to " << size.outputs << " on " << rows << "x" << columns);
      CHECK(cycles(CycleClass::compute) + cycles(CycleClass::fill_drain) + cycles(CycleClass::weight_load) ==
            closed_form(dataflow, out[1] * out[2], size.kernel * size.kernel * size.channels, size.outputs,
                        rows, columns));
    }
  }
}

}  // namespace
}  // namespace qsim
