#include "tests/unit/simulate/random_mapper.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "sim/compiler/batch_parts.h"
#include "sim/compiler/chain_choice.h"
#include "sim/compiler/mapping_fields.h"
#include "sim/compiler/reduction_parts.h"

namespace qsim::test {

namespace {

using Json = nlohmann::ordered_json;

constexpr int kDraws = 8;

/// Gives values that no one has given yet.
template <typename MappingType>
class PinDraw {
 public:
  PinDraw(Choice& choice, const Pinned<MappingType>* given) : choice_(choice) {
    if (given != nullptr) pin_ = *given;
  }

  template <typename Value>
  void give(int percent, const char* key, Value& field, Value value) {
    if (pin_.gives(key) || !choice_.chance(percent)) return;
    field = value;
    pin_.given[key] = "drawn";
  }
  [[nodiscard]] MappingType& value() { return pin_.value; }
  [[nodiscard]] const Pinned<MappingType>& pin() const { return pin_; }

 private:
  Choice& choice_;
  Pinned<MappingType> pin_;
};

/// Kernel rows, taps, channels of a tap, channels of all taps, or all; any size that is legal.
PartSize random_part(Choice& choice, const GemmProblem& problem, const GemmMapping& like) {
  PartSize part = whole_reduction(problem);
  const std::int64_t granule = channel_granule(problem, like);
  const std::int64_t channels = granule * choice.between(1, ceil_div(part.channels, granule));
  const std::int64_t kind = choice.between(0, 4);
  if (kind == 0) part.kernel_h = choice.between(1, part.kernel_h);
  if (kind == 1) part = {1, choice.between(1, part.kernel_w), part.channels};
  if (kind == 2) part = {1, 1, std::min(channels, part.channels)};
  if (kind == 3) part.channels = std::min(channels, part.channels);
  return part;
}

/// `like`: a mapping of the space.
Pinned<GemmMapping> draw_pin(Choice& choice, const GemmSpace& space, const GemmMapping& like) {
  namespace keys = mapping_keys;
  const GemmProblem& problem = space.problem();
  const ConvolutionGeometry& g = problem.geometry;
  PinDraw<GemmMapping> draw(choice, space.pin());
  GemmMapping& m = draw.value();
  const std::int64_t rows = problem.activation_weights ? 1 : g.output[kRow];
  draw.give(70, keys::kTileRows, m.tile_rows, choice.between(1, rows));
  draw.give(70, keys::kTileColumns, m.tile_columns, choice.between(1, g.output[kColumn]));
  const std::int64_t pixels = std::min(like.pixels_per_pass, space.hardware().accumulators.entries);
  draw.give(40, keys::kPixelsPerPass, m.pixels_per_pass, choice.between(1, pixels));
  draw.give(40, keys::kGroupsPerTile, m.groups_per_tile, choice.between(1, like.groups_per_tile));
  draw.give(40, keys::kColumnTile, m.column_tile, choice.between(1, like.column_tile));
  const std::int64_t tiles = ceil_div(g.output[kChannel], std::max<std::int64_t>(1, like.column_tile));
  draw.give(60, keys::kColumnTilesPerBlock, m.column_tiles_per_block, choice.between(1, tiles));
  if (choice.chance(60)) {
    const PartSize part = random_part(choice, problem, like);
    draw.give(100, keys::kPartKernelH, m.part_kernel_h, part.kernel_h);
    draw.give(100, keys::kPartKernelW, m.part_kernel_w, part.kernel_w);
    draw.give(100, keys::kPartChannels, m.part_channels, part.channels);
  }
  draw.give(50, keys::kSumsIn, m.sums_in, choice.of({SumsIn::accumulators, SumsIn::activation_buffer}));
  draw.give(50, keys::kLoopOrder, m.order,
            choice.of({LoopOrder::weights_outer, LoopOrder::activations_outer}));
  draw.give(20, keys::kInputSlots, m.input_slots, choice.between(1, 2));
  draw.give(20, keys::kOutputSlots, m.output_slots, choice.between(1, 2));
  return draw.pin();
}

Pinned<VectorMapping> draw_pin(Choice& choice, const VectorSpace& space, const VectorMapping& /*like*/) {
  namespace keys = mapping_keys;
  PinDraw<VectorMapping> draw(choice, space.pin());
  VectorMapping& m = draw.value();
  const Dims& extent = space.problem().extent;
  draw.give(30, keys::kTileBatch, m.tile[kBatch], choice.between(1, extent[kBatch]));
  draw.give(70, keys::kTileRows, m.tile[kRow], choice.between(1, extent[kRow]));
  draw.give(50, keys::kTileColumns, m.tile[kColumn], choice.between(1, extent[kColumn]));
  draw.give(40, keys::kTileChannels, m.tile[kChannel], choice.between(1, extent[kChannel]));
  draw.give(30, keys::kSlots, m.slots, choice.between(1, 2));
  return draw.pin();
}

template <typename MappingType>
void shuffle(Choice& choice, std::vector<MappingOption<MappingType>>& options) {
  for (std::size_t i = options.size(); i > 1; --i)
    std::swap(options[i - 1],
              options[static_cast<std::size_t>(choice.between(0, static_cast<std::int64_t>(i) - 1))]);
}

/// The space's candidates, so that something fits wherever anything does, and what is drawn, which is
/// preferred three times in four.
template <typename Space, typename MappingType>
MappingOptions<MappingType> draw_options(Choice& choice, const Space& space,
                                         MappingOptions<MappingType> found) {
  if (found.options.empty()) return found;
  std::vector<MappingOption<MappingType>> drawn;
  for (int n = 0; n < kDraws; ++n) {
    const Pinned<MappingType> pin = draw_pin(choice, space, found.options.front().mapping);
    const Space narrow(space.problem(), space.residency(), space.hardware(), space.limits(), &pin);
    MappingOptions<MappingType> legal = narrow.candidates();
    if (legal.options.empty()) continue;
    drawn.push_back(
        legal.options[static_cast<std::size_t>(choice.between(0, std::ssize(legal.options) - 1))]);
  }
  shuffle(choice, found.options);
  found.options.insert(found.options.end(), drawn.begin(), drawn.end());
  if (choice.chance(25)) shuffle(choice, found.options);
  return found;
}

}  // namespace

MappingOptions<GemmMapping> RandomMapper::options(const GemmSpace& space,
                                                  const CostMeasure& /*measure*/) const {
  return draw_options(choice_, space, space.candidates());
}

MappingOptions<VectorMapping> RandomMapper::options(const VectorSpace& space,
                                                    const CostMeasure& /*measure*/) const {
  return draw_options(choice_, space, space.candidates());
}

namespace {

std::string name_of(const Graph& graph, const CompiledRow& row) {
  return graph.nodes[row.nodes.back()].name;
}

/// Some neighbours in stripes.
void add_chain(Choice& choice, const Graph& graph, const CompiledProgram& own, Json& layers) {
  const auto rows = std::ssize(own.rows);
  const std::int64_t first = choice.between(0, rows - 2);
  const std::int64_t last = choice.between(first + 1, rows - 1);
  const std::int64_t stripe_rows = choice.between(1, 4);
  for (std::int64_t row = first; row <= last; ++row) {
    Json others = Json::array();
    for (std::int64_t other = first; other <= last; ++other) {
      if (other != row) others.push_back(name_of(graph, own.rows[static_cast<std::size_t>(other)]));
    }
    Json& layer = layers[name_of(graph, own.rows[static_cast<std::size_t>(row)])];
    layer["fused_with"] = std::move(others);
    layer["stripe_rows"] = stripe_rows;
  }
}

Json random_pins_of(Choice& choice, const CompiledRow& row, const HardwareConfig& chip) {
  Json pins = Json::object();
  const Json own = mapping_json(row.mapping);
  const std::string unit = own.at("unit");
  if (unit == "host") return pins;
  if (chip.requantizer.fused_add && unit == "requantizer" && choice.chance(20)) pins["unit"] = "vector_unit";
  if (chip.requantizer.fused_add && unit == "vector_unit" && choice.chance(20)) pins["unit"] = "requantizer";
  if (unit == "requantizer" || pins.contains("unit")) return pins;
  const bool has_dram = chip.dram.kind != DramKind::none;
  if (has_dram && !chip.requantizer.writes_through) {
    if (choice.chance(40)) pins["output_in"] = choice.chance(70) ? "activation_buffer" : "dram";
    if (own.contains("input_in") && own["input_in"].is_string() && choice.chance(20))
      pins["input_in"] = choice.chance(70) ? "activation_buffer" : "dram";
  }
  if (choice.chance(15))
    pins["activation_bytes"] =
        choice.between(chip.activation_buffer.capacity_bytes() / 4, chip.activation_buffer.capacity_bytes());
  const bool may_keep = has_dram && chip.dma.weight_prefetch != WeightPrefetch::ring;
  if (unit == "mac_array" && may_keep && own.at("weights_in") != "activations" && choice.chance(60))
    pins["weights_in"] = choice.chance(50) ? "weight_buffer" : "dram";
  return pins;
}

}  // namespace

Json random_pins(Choice& choice, const Graph& graph, const CompiledProgram& own, const HardwareConfig& chip) {
  Json layers = Json::object();
  for (const CompiledRow& row : own.rows) {
    Json pins = random_pins_of(choice, row, chip);
    if (!pins.empty()) layers[name_of(graph, row)] = std::move(pins);
  }
  if (own.rows.size() > 1 && may_fuse(chip) && choice.chance(60)) add_chain(choice, graph, own, layers);
  if (graph.batch > 1 && takes_parts(chip) && choice.chance(60)) {
    const std::int64_t images = choice.of<std::int64_t>({1, 1, graph.batch, graph.batch / 2});
    for (const CompiledRow& row : own.rows)
      layers[name_of(graph, row)]["images_together"] = std::max<std::int64_t>(1, images);
  }
  return layers;
}

}  // namespace qsim::test
