#include "tests/unit/simulate/random_network.h"

#include <algorithm>

#include "base/error.h"
#include "hw_models/dataflow/dataflow_table.h"
#include "sim/compiler/compile.h"
#include "tests/unit/simulate/random_layers.h"
#include "workloads/graph/batch.h"

namespace qsim::test {

namespace {

using Layer = TensorId (RandomLayers::*)(TensorId);

struct Row {
  LayerKind kind;
  Layer layer;
  int weight;  ///< How often it is drawn.
};

/// What exists for a format of activations.
std::vector<Row> layers_for(const ActivationKind& kind) {
  using L = RandomLayers;
  std::vector<Row> rows{{LayerKind::convolution, &L::convolution, 3},
                        {LayerKind::depthwise, &L::depthwise, 0},
                        {LayerKind::fully_connected, &L::fully_connected, 1},
                        {LayerKind::transposed_convolution, &L::transposed_convolution, 1},
                        {LayerKind::pool, &L::pool, 1},
                        {LayerKind::pad, &L::pad, 1},
                        {LayerKind::slice, &L::slice, 1},
                        {LayerKind::transpose, &L::transpose, 1},
                        {LayerKind::concat, &L::concat, 1},
                        {LayerKind::requantize, &L::requantize, 1},
                        {LayerKind::resize, &L::resize, 1}};
  if (kind.bits % 8 != 0) return rows;
  const std::vector<Row> whole_bytes{
      {LayerKind::binary, &L::binary, 1},     {LayerKind::mean, &L::mean, 1},
      {LayerKind::matmul, &L::matmul, 2},     {LayerKind::softmax, &L::softmax, 1},
      {LayerKind::extremum, &L::extremum, 1}, {LayerKind::leaky, &L::leaky, 1}};
  rows.insert(rows.end(), whole_bytes.begin(), whole_bytes.end());
  rows.push_back({LayerKind::prelu, &L::prelu, 1});
  rows.push_back({LayerKind::table, &L::table, 1});
  if (kind.semantics == Semantics::onnx) {
    rows.push_back({LayerKind::layer_norm, &L::layer_norm, 1});
    rows.push_back({LayerKind::global_pool, &L::global_pool, 1});
  }
  return rows;
}

Layer draw_layer(Choice& choice, const std::vector<Row>& rows) {
  std::int64_t total = 0;
  for (const Row& row : rows) total += row.weight;
  std::int64_t at = choice.between(0, total - 1);
  for (const Row& row : rows) {
    at -= row.weight;
    if (at < 0) return row.layer;
  }
  return rows.back().layer;
}

Shape random_shape(Choice& choice) {
  // Few pixels of many channels leave room for groups side by side.
  if (choice.chance(25)) return {1, choice.between(1, 2), choice.between(1, 2), choice.between(8, 20)};
  return {1, choice.between(1, 9), choice.between(1, 9), choice.between(1, 20)};
}

}  // namespace

namespace {

ActivationKind random_kind(Choice& choice) {
  ActivationKind kind;
  kind.semantics = choice.chance(50) ? Semantics::tflite : Semantics::onnx;
  kind.bits = static_cast<int>(choice.of({8, 8, 8, 16, 4, 5}));
  kind.is_signed = kind.semantics == Semantics::tflite || choice.chance(50);
  return kind;
}

}  // namespace

RandomNetwork residual_network(Choice& choice) {
  const ActivationKind kind = random_kind(choice);
  RandomLayers layers(choice, kind.semantics, kind.bits, kind.is_signed);
  TensorId x = layers.input(random_shape(choice));
  const std::int64_t blocks = choice.between(1, 3);
  for (std::int64_t i = 0; i < blocks; ++i) {
    if (choice.chance(30)) x = layers.convolution(x);
    x = layers.residual(x);
    if (choice.chance(20)) x = layers.pool(x);
  }
  return layers.finish(x);
}

RandomNetwork pooled_network(Choice& choice) {
  const ActivationKind kind = random_kind(choice);
  RandomLayers layers(choice, kind.semantics, kind.bits, kind.is_signed);
  TensorId x = layers.input(random_shape(choice));
  const std::int64_t products = choice.between(1, 3);
  for (std::int64_t i = 0; i < products; ++i) {
    x = choice.chance(70) ? layers.convolution(x) : layers.residual(x);
    const std::int64_t percent = choice.between(1, 100);
    x = percent <= 70 ? layers.pool(x) : percent <= 85 ? layers.global_pool(x) : layers.mean(x);
  }
  return layers.finish(x);
}

RandomNetwork random_network(Choice& choice) {
  const ActivationKind kind = random_kind(choice);
  const std::vector<Row> rows = layers_for(kind);
  RandomLayers layers(choice, kind.semantics, kind.bits, kind.is_signed);
  TensorId x = layers.input(random_shape(choice));
  const std::int64_t count = choice.between(1, 6);
  for (std::int64_t i = 0; i < count; ++i) x = (layers.*draw_layer(choice, rows))(x);
  return layers.finish(x);
}

RandomNetwork chain_network(Choice& choice) {
  const Semantics semantics = choice.chance(50) ? Semantics::tflite : Semantics::onnx;
  RandomLayers layers(choice, semantics, 8, true);
  layers.set_most_kernel(5);
  std::vector<TensorId> made{layers.input(
      {choice.between(1, 2), choice.between(5, 20), choice.between(1, 6), choice.between(1, 10)})};
  const std::int64_t count = choice.between(2, 7);
  for (std::int64_t i = 0; i < count; ++i) {
    const TensorId x = made.back();
    const auto other = std::find_if(made.begin(), made.end() - 1,
                                    [&](TensorId id) { return layers.shape_of(id) == layers.shape_of(x); });
    if (other != made.end() - 1 && choice.chance(60)) {
      made.push_back(layers.sum(x, *other));
    } else if (choice.chance(15)) {
      made.push_back(layers.pool(x));
    } else if (choice.chance(10)) {
      made.push_back(layers.table(x));
    } else if (choice.chance(10)) {
      made.push_back(layers.transposed_convolution(x));
    } else {
      made.push_back(choice.chance(25) ? layers.depthwise(x) : layers.convolution(x));
    }
  }
  return layers.finish(made.back());
}

RandomNetwork strided_network(Choice& choice) {
  RandomLayers layers(choice, Semantics::onnx, static_cast<int>(choice.of({8, 8, 16, 4})), true);
  const TensorId x = layers.input(
      {choice.between(1, 2), choice.between(1, 24), choice.between(1, 24), choice.of({1, 3, 8, 16, 20, 32})});
  return layers.finish(layers.strided_convolution(x));
}

std::optional<RandomNetwork> batched(RandomNetwork network, std::int64_t batch) {
  for (const TensorData& input : network.inputs) {
    if (input.shape[0] != 1) return std::nullopt;
  }
  try {
    set_batch(network.graph, batch);
  } catch (const InputError&) {
    return std::nullopt;
  }
  for (std::size_t i = 0; i < network.inputs.size(); ++i) {
    TensorData& input = network.inputs[i];
    const std::vector<std::byte> one = input.bytes;
    input.shape[0] = batch;
    for (std::int64_t image = 1; image < batch; ++image) {  // images that differ: each is turned by one more
      const auto turn = static_cast<std::ptrdiff_t>(static_cast<std::size_t>(image) % one.size());
      input.bytes.insert(input.bytes.end(), one.begin() + turn, one.end());
      input.bytes.insert(input.bytes.end(), one.begin(), one.begin() + turn);
    }
  }
  return network;
}

std::vector<LayerKind> layer_kinds(const ActivationKind& kind) {
  std::vector<LayerKind> kinds;
  for (const Row& row : layers_for(kind)) kinds.push_back(row.kind);
  return kinds;
}

RandomNetwork single_layer_network(Choice& choice, const ActivationKind& kind, LayerKind layer) {
  const std::vector<Row> rows = layers_for(kind);
  const auto row = std::ranges::find(rows, layer, &Row::kind);
  RandomLayers layers(choice, kind.semantics, kind.bits, kind.is_signed);
  const TensorId x = layers.input(random_shape(choice));
  return layers.finish((layers.*row->layer)(x));
}

HardwareConfig random_chip(Choice& choice) {
  HardwareConfig chip;
  chip.name = "random";
  chip.mac_array.rows = choice.between(1, 20);
  chip.mac_array.columns = choice.between(1, 20);
  chip.mac_array.organization = choice.chance(60) ? Organization::systolic : Organization::dot_product;
  chip.mac_array.dataflow =
      choice.of({Dataflow::weight_stationary, Dataflow::output_stationary, Dataflow::input_stationary});
  // Room for groups side by side, whose pixels share the rows.
  if (dataflow_model(chip.mac_array).grid() == PeGridKind::output && choice.chance(50))
    chip.mac_array.rows *= 2;
  chip.mac_array.reduction = choice.chance(60) ? Reduction::packed : Reduction::per_tap;
  if (choice.chance(30)) chip.mac_array.adder_tree_cycles = choice.between(0, 9);
  chip.mac_array.double_buffered_weights = choice.chance(60);
  chip.mac_array.weight_bits = static_cast<int>(choice.of({2, 4, 8, 8}));
  chip.mac_array.activation_bits = static_cast<int>(choice.of({4, 8, 16}));
  chip.weight_buffer.capacity_kib = choice.of<std::int64_t>({2, 4, 8, 64});
  chip.weight_buffer.double_buffered = choice.chance(70);
  chip.activation_buffer.capacity_kib = choice.of<std::int64_t>({2, 4, 8, 64});
  chip.activation_buffer.double_buffered = choice.chance(70);
  chip.activation_buffer.read_port_bytes = choice.of<std::int64_t>({1, 4, 64});
  for (BufferConfig* buffer : {&chip.weight_buffer, &chip.activation_buffer}) {
    buffer->banks = choice.of<std::int64_t>({1, 2, 4, 16});
    buffer->read_ports = choice.between(1, buffer->banks);
    buffer->bank_conflicts = choice.chance(30);
    buffer->arbitration = choice.of(
        {Arbitration::fixed, Arbitration::fixed, Arbitration::write_first, Arbitration::read_first});
  }
  chip.activation_buffer.line_buffer = choice.chance(25);
  chip.accumulators.update_cycles = choice.chance(30) ? choice.between(2, 4) : 1;
  chip.accumulators.read_out_entries = choice.between(0, 2);
  chip.accumulators.entries = choice.between(2, 40);
  chip.accumulators.double_buffered = choice.chance(70);
  chip.accumulators.width_bits = static_cast<int>(choice.of({16, 20, 24, 32, 32, 40, 48}));
  chip.accumulators.overflow =
      choice.chance(50) ? arithmetic::Overflow::wrap : arithmetic::Overflow::saturate;
  chip.requantizer.lanes = choice.between(1, 40);
  chip.vector_unit.lanes = choice.between(1, 16);
  chip.dma.setup_cycles = choice.of<std::int64_t>({0, 1, 8});
  chip.dma.transaction_bytes = choice.of<std::int64_t>({64, 256, 1024});
  chip.requantizer.row_read_cycles = choice.of<std::int64_t>({0, 0, 1, 3});
  chip.requantizer.turnaround_cycles = choice.of<std::int64_t>({0, 0, 7, 38});
  chip.requantizer.writes_through = choice.chance(25);
  chip.dma.weight_prefetch = choice.chance(70) ? WeightPrefetch::halves : WeightPrefetch::ring;
  chip.dma.weight_granule_bytes = choice.of<std::int64_t>({1, 1, 16, 128});
  chip.dma.pixel_granule_bytes = choice.of<std::int64_t>({1, 1, 4, 8});
  chip.dma.weight_ready_cycles = choice.of<std::int64_t>({0, 0, 46});
  chip.dma.input_ready_cycles = choice.of<std::int64_t>({0, 0, 61});
  chip.dma.line_gap_cycles = choice.of<std::int64_t>({0, 1, 4});
  chip.dma.upper_atom_gap_cycles = choice.of<std::int64_t>({0, 1});
  chip.controller.pass_order = choice.chance(70) ? PassOrder::even : PassOrder::full;
  chip.controller.layer_start_cycles = choice.of<std::int64_t>({0, 17});
  if (choice.chance(30)) chip.dram.write_bandwidth_bytes_per_second = 3'000'000'000;
  chip.dram.latency_cycles = choice.between(0, 60);
  chip.dram.outstanding_requests = choice.between(1, 16);
  chip.dram.burst_bytes = choice.of<std::int64_t>({8, 32, 64});
  chip.dma.skips_pixels = choice.chance(80);
  chip.dma.channel_order = choice.chance(20) ? ChannelOrder::fixed : ChannelOrder::round_robin;
  chip.accumulators.spill = choice.chance(50);
  return chip;
}

bool fits(const Graph& graph, const HardwareConfig& chip) {
  try {
    (void)compile(graph, chip, false);
    return true;
  } catch (const InputError&) {
    return false;
  }
}

std::vector<RandomPair> random_pairs(std::size_t count, std::uint32_t seed) {
  std::vector<RandomPair> pairs;
  for (; pairs.size() < count; ++seed) {
    Choice choice(seed);
    RandomPair pair{seed, random_network(choice), random_chip(choice)};
    validate(pair.network.graph);
    if (fits(pair.network.graph, pair.chip)) pairs.push_back(std::move(pair));
  }
  return pairs;
}

}  // namespace qsim::test
