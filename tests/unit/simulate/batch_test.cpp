// A batch in parts: never slower than its images one after the other, and the same values however it is cut.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>

#include "sim/compiler/batch_parts.h"
#include "sim/compiler/compile.h"
#include "sim/compiler/mapping_file.h"
#include "sim/energy/energy_model.h"
#include "sim/report/accounting.h"
#include "sim/simulate.h"
#include "tests/unit/sim/hardware_files.h"
#include "tests/unit/simulate/draws.h"
#include "tests/unit/simulate/random_network.h"
#include "tests/unit/simulate/same_run.h"
#include "workloads/graph/batch.h"
#include "workloads/readers/load.h"

namespace qsim {
namespace {

using Json = nlohmann::ordered_json;

/// What a prefetch of the next image's weights may cost, which no load can overtake: a thousandth.
constexpr double kRounding = 1e-3;

RunResult cost_of(const HardwareConfig& chip, const Graph& graph) {
  SimulateOptions options;
  options.values = Values::none;
  return simulate(chip, graph, {}, options);
}

std::int64_t images_together(const RunResult& run) {
  return mapping_json(run.layers[0].mapping).value("images_together", std::int64_t{0});
}

PinnedMapper with_images(const RunResult& run, std::int64_t images) {
  Json file = {{"layers", Json::object()}};
  for (const LayerResult& layer : run.layers) file["layers"][layer.name] = {{"images_together", images}};
  return {parse_mappings(file, "mappings.json"), std::make_unique<CostMapper>()};
}

TEST_CASE("random networks: throughput does not fall with the batch") {
  int compared = 0;
  int cut = 0;
  for (const auto& [seed, network, chip] : test::random_pairs(test::draws(150), 81'001)) {
    if (!takes_parts(chip)) continue;
    const double one = static_cast<double>(cost_of(chip, network.graph).total_cycles);
    for (const std::int64_t batch : {2, 3, 4, 5}) {
      const auto made = test::batched(network, batch);
      if (!made) break;
      INFO("seed " << seed << " batch " << batch);
      const RunResult run = cost_of(chip, made->graph);
      CHECK(static_cast<double>(run.total_cycles) <= static_cast<double>(batch) * one * (1 + kRounding));
      CHECK(batch % images_together(run) == 0);
      cut += images_together(run) < batch ? 1 : 0;
      ++compared;
    }
  }
  CHECK(compared > test::hits(200));
  CHECK(cut > test::hits(10));
}

TEST_CASE("random networks: all ways to cut a batch compute the same, and the accounting closes") {
  const EnergyModel energy(HardwareConfig{}, load_energy_table("45nm", shipped_energy_tables(), ""));
  int compared = 0;
  for (const auto& [seed, network, chip] : test::random_pairs(test::draws(60), 82'001)) {
    const std::int64_t batch = 2 + seed % 5;
    const auto made = test::batched(network, batch);
    if (!made || !takes_parts(chip)) continue;
    SimulateOptions options;
    options.dump_tensors = true;
    const RunResult own = simulate(chip, made->graph, made->inputs, options);
    for (const std::int64_t images : part_sizes(batch, own.layers.size())) {
      INFO("seed " << seed << ", " << images << " of " << batch << " images together");
      const PinnedMapper mapper = with_images(own, images);
      options.mapper = &mapper;
      options.values = Values::layer;
      options.fidelity = Fidelity::tile;
      const RunResult layer = simulate(chip, made->graph, made->inputs, options);
      CHECK(images_together(layer) == images);
      CHECK_NOTHROW(check_accounting(layer, summarize(layer, energy, batch), made->graph));
      for (std::size_t i = 0; i < own.dump.size(); ++i)
        CHECK((layer.dump[i].data.bytes == own.dump[i].data.bytes));
      options.values = Values::tile;
      test::check_same_run(simulate(chip, made->graph, made->inputs, options), layer);
      options.fidelity = Fidelity::pe;
      test::check_same_run(simulate(chip, made->graph, made->inputs, options), layer);
      ++compared;
    }
  }
  CHECK(compared > test::hits(40));
}

TEST_CASE("image by image a batch takes the traffic of its images, and N times their events") {
  const HardwareConfig chip = load_hardware("npu", {}, shipped_configs());
  Graph graph = load_workload("bert_base_layer", {QSIM_SOURCE_FOLDER "/workloads/models"});
  const RunResult one = cost_of(chip, graph);
  set_batch(graph, 3);
  const PinnedMapper mapper = with_images(one, 1);
  SimulateOptions options;
  options.values = Values::none;
  options.mapper = &mapper;
  const RunResult three = simulate(chip, graph, {}, options);
  REQUIRE(three.layers.size() == one.layers.size());
  for (std::size_t i = 0; i < one.layers.size(); ++i) {
    INFO("layer " << one.layers[i].name);
    CHECK(three.layers[i].name == one.layers[i].name);
    for (const Event event : {Event::macs, Event::dma_bytes, Event::activation_buffer_read_bytes})
      CHECK(three.layers[i].activity[event] == 3 * one.layers[i].activity[event]);
  }
  CHECK(three.timeline.rows.size() == 3 * one.timeline.rows.size());
  CHECK(three.timeline.rows.back().completed == three.total_cycles);
}

void check_throughput(const std::string& workload, const std::vector<std::int64_t>& batches) {
  const HardwareConfig chip = load_hardware("npu", {}, shipped_configs());
  const Graph graph = load_workload(workload, {QSIM_SOURCE_FOLDER "/workloads/models"});
  const RunResult one = cost_of(chip, graph);
  for (const std::int64_t batch : batches) {
    Graph many = graph;
    set_batch(many, batch);
    const RunResult run = cost_of(chip, many);
    INFO(workload << " batch " << batch);
    CHECK(run.total_cycles <= batch * one.total_cycles);
    CHECK(run.activity[Event::dma_bytes] <= batch * one.activity[Event::dma_bytes]);
  }
}

TEST_CASE("resnet8, bert_base_layer, resnet50: a batch is as fast as its images and moves no more") {
  struct Batches {
    std::string network;
    std::vector<std::int64_t> sizes;
  };
  for (const Batches& batches :
       test::drawn<Batches>({{"resnet8", {3}}, {"bert_base_layer", {2, 4, 8}}, {"resnet50", {4, 16}}}))
    check_throughput(batches.network, batches.sizes);
}

TEST_CASE("parts are divisors of the batch, the whole batch first and single images last") {
  CHECK(part_sizes(1, 10) == std::vector<std::int64_t>{1});
  CHECK(part_sizes(12, 10) == std::vector<std::int64_t>{12, 6, 4, 3, 2, 1});
  CHECK(part_sizes(7, 10) == std::vector<std::int64_t>{7, 1});
  const std::vector<std::int64_t> many = part_sizes(2520, 10);  // 48 divisors
  CHECK(many.front() == 2520);
  CHECK(many.back() == 1);
  for (std::size_t i = 1; i < many.size(); ++i) CHECK(2 * many[i] <= many[i - 1]);
  // 65,536 images of 64 rows in 4,096 parts at most.
  CHECK(part_sizes(65'536, 64).back() == 16);
}

TEST_CASE("of candidates that cost the same the one of more images is first") {
  MappingCost cost;
  cost.cycles = cost.loaded_cycles = 100;
  MappingCost half = cost;
  half.cycles = half.loaded_cycles = 50;
  MappingCost quarter = cost;
  quarter.cycles = quarter.loaded_cycles = 24;
  CHECK(by_cost({{4, 1, cost}, {2, 2, half}, {1, 4, quarter}}) == std::vector<std::size_t>{2, 0, 1});
}

std::vector<Problem> refusals(const HardwareConfig& chip, const Json& file) {
  Graph graph = load_workload("resnet8", {QSIM_SOURCE_FOLDER "/workloads/models"});
  set_batch(graph, 4);
  try {
    const PinnedMapper mapper(parse_mappings(file, "mappings.json"), std::make_unique<CostMapper>());
    (void)compile(graph, chip, mapper, false);
  } catch (const InputError& error) {
    return error.problems();
  }
  return {};
}

TEST_CASE("images_together is given alike for all rows, and divides the batch") {
  const HardwareConfig npu = load_hardware("npu", {}, shipped_configs());
  const Json two = {{"images_together", 2}};
  CHECK(refusals(npu, {{"operations", {{"conv2d", two}}}}).empty());
  const auto uneven = refusals(npu, {{"operations", {{"conv2d", {{"images_together", 3}}}}}});
  REQUIRE(uneven.size() == 1);
  CHECK(uneven[0].place == "operations.conv2d.images_together");
  CHECK(uneven[0].value == "3");
  CHECK(uneven[0].expected == "a divisor of the batch of 4");
  const auto unlike = refusals(npu, {{"operations", {{"conv2d", two}, {"add", {{"images_together", 1}}}}}});
  REQUIRE(unlike.size() == 1);
  CHECK(unlike[0].place == "operations.add.images_together");
  const HardwareConfig ring = load_hardware("nvdla_small", {}, shipped_configs());
  CHECK(refusals(ring, {{"operations", {{"conv2d", {{"images_together", 4}}}}}}).empty());
  CHECK(refusals(ring, {{"operations", {{"conv2d", two}}}}).size() == 1);
}

TEST_CASE("where what is given goes with larger parts of a batch alone, these are taken") {
  const HardwareConfig chip = load_hardware("npu_small", {}, shipped_configs());
  Graph graph = load_workload("resnet8", {QSIM_SOURCE_FOLDER "/workloads/models"});
  set_batch(graph, 2);
  const RunResult own = cost_of(chip, graph);
  const PinnedMapper together = with_images(own, 2);
  SimulateOptions options;
  options.values = Values::none;
  options.mapper = &together;
  const RunResult whole = simulate(chip, graph, {}, options);
  // Image by image is cheaper, and cuts the weights of this layer otherwise: that shows when it is built.
  const auto weight_blocks = [](const RunResult& run) {
    const auto layer = std::ranges::find(run.layers, "stage1.conv2", &LayerResult::name);
    return mapping_json(layer->mapping).at("weight_blocks").get<std::int64_t>();
  };
  REQUIRE(images_together(own) == 1);
  REQUIRE(weight_blocks(own) != weight_blocks(whole));
  const Json file = {{"layers", {{"stage1.conv2", {{"weight_blocks", weight_blocks(whole)}}}}}};
  const PinnedMapper given(parse_mappings(file, "mappings.json"), std::make_unique<CostMapper>());
  options.mapper = &given;
  CHECK(images_together(simulate(chip, graph, {}, options)) == 2);
}

}  // namespace
}  // namespace qsim
