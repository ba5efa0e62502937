// Where a weight of a block lies, against walking the block as the array does.
#include <catch2/catch.hpp>
#include <random>

#include "hw_models/dataflow/dataflow_table.h"

namespace qsim {
namespace {

TEST_CASE("the weights of a block lie tile after tile, chunk after chunk, in the order of the dataflow") {
  std::mt19937_64 engine(9);
  const auto between = [&](std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(engine() % static_cast<std::uint64_t>(high - low + 1));
  };
  for (const Organization organization : {Organization::systolic, Organization::dot_product}) {
    for (const Dataflow kind :
         {Dataflow::weight_stationary, Dataflow::input_stationary, Dataflow::output_stationary}) {
      const DataflowModel& dataflow = dataflow_model(kind, organization);
      for (int i = 0; i < 30; ++i) {
        WeightBlock block;
        block.depth = between(1, 30);
        block.channels = between(1, 30);
        block.column_tile = between(1, 12);
        const ReductionPart part{0, 1, 0, 1, 0, block.depth};
        const ChunkCut cut = dataflow.pass_chunks(part, between(1, 12), Reduction::packed, 0);
        block.chunk = cut.depth(0);
        block.has_channels_innermost =
            dataflow.weight_order(1, block.depth, block.column_tile).has_channels_innermost();
        std::int64_t base = 0;
        for (std::int64_t n = 0; n < block.channels; n += block.column_tile) {
          const std::int64_t channels = std::min(block.column_tile, block.channels - n);
          for (std::int64_t chunk = 0; chunk < cut.count(); ++chunk) {
            const WeightOrder order = dataflow.weight_order(1, cut.depth(chunk), channels);
            for (std::int64_t k = 0; k < cut.depth(chunk); ++k) {
              for (std::int64_t c = 0; c < channels; ++c) {
                CHECK(block.index(cut.begin(chunk) + k, n + c) == base + order.index(0, k, c));
              }
            }
            base += cut.depth(chunk) * channels;
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace qsim
