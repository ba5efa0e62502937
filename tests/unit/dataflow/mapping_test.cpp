// What a pass may take of a layer, and what the mapper reckons for it.
#include <algorithm>
#include <catch2/catch.hpp>

#include "tests/unit/dataflow/dataflow_cases.h"

namespace qsim {
namespace {

MacArrayConfig array_of(std::int64_t rows, std::int64_t columns, Organization organization,
                        Dataflow dataflow) {
  MacArrayConfig array;
  array.rows = rows;
  array.columns = columns;
  array.organization = organization;
  array.dataflow = dataflow;
  return array;
}

TEST_CASE("a pass of a plain layer takes what the array's edges and the accumulators hold") {
  LayerShape layer;  // 14 x 14 pixels, 3 x 3 x 64 to 100 channels
  layer.outputs = 100;
  layer.pixels = 196;
  layer.taps = 9;
  layer.channels = 64;
  const auto bounds = [&](Organization organization, Dataflow dataflow, std::int64_t entries) {
    const MacArrayConfig array = array_of(32, 48, organization, dataflow);
    return dataflow_model(array).bounds(array, layer, entries);
  };
  for (const Organization organization : {Organization::systolic, Organization::dot_product}) {
    const PassBounds weights_stay = bounds(organization, Dataflow::weight_stationary, 1000);
    CHECK(weights_stay.groups == 1);
    CHECK(weights_stay.channels == 48);  // a column each
    CHECK(weights_stay.pixels == 1000);  // an entry each
    const PassBounds inputs_stay = bounds(organization, Dataflow::input_stationary, 1000);
    CHECK(inputs_stay.channels == 100);  // an entry each
    CHECK(inputs_stay.pixels == 48);     // a column each
    // 100 channels in accumulators for 60: two tiles of 50.
    CHECK(bounds(organization, Dataflow::input_stationary, 60).channels == 50);
  }
  const PassBounds in_pes = bounds(Organization::systolic, Dataflow::output_stationary, 1000);
  CHECK(in_pes.channels == 48);
  CHECK(in_pes.pixels == 32);  // a row each
  CHECK(bounds(Organization::systolic, Dataflow::output_stationary, 20).pixels == 20);
  const PassBounds behind_trees = bounds(Organization::dot_product, Dataflow::output_stationary, 1000);
  CHECK(behind_trees.channels == 48);
  CHECK(behind_trees.pixels == 1000);
}

TEST_CASE("groups lie side by side as far as their rows and columns fit") {
  LayerShape depthwise;  // 3 x 3, a channel a group, 4 pixels
  depthwise.groups = 20;
  depthwise.taps = 9;
  depthwise.pixels = 4;
  const auto groups = [&](Organization organization, Dataflow dataflow, Reduction reduction) {
    MacArrayConfig array = array_of(32, 12, organization, dataflow);
    array.reduction = reduction;
    return dataflow_model(array).bounds(array, depthwise, 100).groups;
  };
  for (const Organization organization : {Organization::systolic, Organization::dot_product}) {
    // 9 rows and a column each; tap by tap a row each, so that the columns decide.
    CHECK(groups(organization, Dataflow::weight_stationary, Reduction::packed) == 3);
    CHECK(groups(organization, Dataflow::weight_stationary, Reduction::per_tap) == 12);
    // 4 columns each: all pixels of the layer.
    CHECK(groups(organization, Dataflow::input_stationary, Reduction::packed) == 3);
    CHECK(groups(organization, Dataflow::input_stationary, Reduction::per_tap) == 3);
  }
  // 4 rows each: all pixels of the layer, whatever the reduction.
  CHECK(groups(Organization::systolic, Dataflow::output_stationary, Reduction::packed) == 8);
  CHECK(groups(Organization::systolic, Dataflow::output_stationary, Reduction::per_tap) == 8);
  CHECK(groups(Organization::dot_product, Dataflow::output_stationary, Reduction::packed) == 3);
  depthwise.groups = 2;
  CHECK(groups(Organization::systolic, Dataflow::weight_stationary, Reduction::packed) == 2);
}

TEST_CASE("a pass at its bounds never needs more rows, columns or entries than there are") {
  test::Random random(4);
  for (int i = 0; i < 500; ++i) {
    for (MacArrayConfig array : test::all_arrays(random.between(1, 32), random.between(1, 32))) {
      array.reduction = random.between(0, 1) == 0 ? Reduction::packed : Reduction::per_tap;
      LayerShape layer;
      layer.groups = random.between(1, 20);
      layer.outputs = random.between(1, 40);
      layer.pixels = random.between(1, 40);
      layer.taps = random.between(1, 9);
      layer.channels = random.between(1, 40);
      const std::int64_t entries = random.between(1, 100);
      const DataflowModel& dataflow = dataflow_model(array);
      const PassBounds bounds = dataflow.bounds(array, layer, entries);
      const ReductionPart part{0, 1, 0, layer.taps, 0, layer.channels};
      PassShape pass;
      pass.groups = bounds.groups;
      pass.channels = bounds.groups > 1 ? layer.outputs : bounds.channels;
      pass.pixels = std::min(layer.pixels, bounds.pixels);
      pass.chunks = ChunkCut(part, array.rows, array.reduction);
      pass.depth = dataflow.pass_chunks(part, array.rows, array.reduction, 0).depth(0);
      INFO(test::name_of(array) << " " << array.rows << "x" << array.columns << ", " << layer.groups
                                << " groups of " << layer.taps << "x" << layer.channels << " to "
                                << layer.outputs << ", " << layer.pixels << " pixels");
      CHECK(dataflow.rows_used(pass) <= array.rows);
      CHECK(dataflow.columns_used(pass) <= array.columns);
      CHECK(dataflow.accumulator_order(pass.pixels, pass.channels).entries(pass.pixels, pass.channels) <=
            entries);
    }
  }
}

TEST_CASE("an array is occupied while it streams, or while it is filled where that takes longer") {
  // 100 pixels in 2 passes of 50, 20 elements of the reduction on 8 rows: 3 chunks, 16 columns, 12 channels.
  const auto occupied = [](Organization organization, Dataflow dataflow, std::int64_t pixels,
                           std::int64_t passes, std::int64_t update, std::int64_t port = 1) {
    const MacArrayConfig array = array_of(8, 16, organization, dataflow);
    const PassShape pass = test::pass_of(pixels / passes, 20, 12, array);
    return dataflow_model(array).occupied_cycles(array, pass, pixels, passes, update, port);
  };
  using enum Organization;
  SECTION("weights stay: a cycle a pixel and chunk, at least 8 rows or 16 columns a pass and chunk") {
    CHECK(occupied(systolic, Dataflow::weight_stationary, 100, 2, 1) == 3 * 100);
    CHECK(occupied(systolic, Dataflow::weight_stationary, 10, 2, 1) == 3 * 2 * 8);
    CHECK(occupied(dot_product, Dataflow::weight_stationary, 10, 2, 1) == 3 * 2 * 16);
    CHECK(occupied(systolic, Dataflow::weight_stationary, 100, 2, 3) == 3 * 100 * 3);
    CHECK(occupied(systolic, Dataflow::weight_stationary, 100, 2, 1, 4) == 3 * 100 * 4);
  }
  SECTION("inputs stay: a cycle a channel, pass and chunk") {
    CHECK(occupied(systolic, Dataflow::input_stationary, 100, 2, 1) == 2 * 3 * 12);
    CHECK(occupied(dot_product, Dataflow::input_stationary, 100, 2, 1) == 2 * 3 * 16);
  }
  SECTION("outputs stay in the PEs: the reduction, or the sums on the bus of a column") {
    CHECK(occupied(systolic, Dataflow::output_stationary, 100, 20, 1) == 20 * 20);
    CHECK(occupied(systolic, Dataflow::output_stationary, 100, 20, 6) == 20 * 5 * 6);
    CHECK(occupied(systolic, Dataflow::output_stationary, 100, 20, 6, 2) == 20 * 20 * 2);
  }
  SECTION("outputs stay behind the trees: a cycle a pixel and chunk, a sum every third step") {
    CHECK(occupied(dot_product, Dataflow::output_stationary, 100, 2, 1) == 100 * 3);
    CHECK(occupied(dot_product, Dataflow::output_stationary, 100, 2, 7) == 100 * 3 * 3);
  }
}

TEST_CASE("each row of the table is found by its enumerator, and names are different") {
  std::vector<std::string> names = dataflow_names();
  std::sort(names.begin(), names.end());
  CHECK(std::adjacent_find(names.begin(), names.end()) == names.end());
  for (const DataflowRow& row : dataflow_table()) {
    for (const Organization organization : {Organization::systolic, Organization::dot_product}) {
      const DataflowModel& dataflow = dataflow_model(row.dataflow, organization);
      CHECK(dataflow.organization() == organization);
      CHECK(&dataflow == &row.model(organization));
      CHECK(dataflow.is_systolic() == (dataflow.grid() != PeGridKind::dot_product));
    }
  }
}

}  // namespace
}  // namespace qsim
