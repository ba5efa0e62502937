// Float operations on the host: their time and traffic, and their values through the modelled memory.
#include <catch2/catch.hpp>

#include "../workloads/float/float_graph.h"
#include "base/error.h"
#include "sim/simulate.h"

using namespace qsim;

namespace {

/// 64 bytes a cycle, a burst a cycle, 100 cycles latency, any number of bursts in flight.
HardwareConfig simple_memory() {
  HardwareConfig hardware;
  hardware.dram.bandwidth_bytes_per_second = 64'000'000'000;
  hardware.dram.latency_cycles = 100;
  hardware.dram.burst_bytes = 64;
  hardware.dram.outstanding_requests = 65'536;
  return hardware;
}

Quantization grid(float scale, std::int32_t zero_point) {
  return Quantization{8, true, {scale}, {zero_point}, -1, 0};
}

TensorId add_quantized(FloatGraph& maker, const Shape& shape, const Quantization& q) {
  const TensorId id = maker.add(shape);
  maker.graph.tensor(id).type = ElementType::i8;
  maker.graph.tensor(id).quantization = q;
  return id;
}

void make_node(FloatGraph& maker, Op op, std::vector<TensorId> inputs, TensorId output) {
  maker.graph.nodes.push_back(
      {maker.graph.tensor(output).name, "layer", std::move(op), std::move(inputs), {output}});
  maker.graph.outputs = {output};
}

/// int8 -> fully connected -> dequantize -> erf -> sum with a float constant -> quantize -> fully connected
FloatGraph mixed_network() {
  FloatGraph maker(7);
  const TensorId x = add_quantized(maker, {2, 8}, grid(0.05F, 3));
  maker.graph.inputs = {x};
  const auto weights = [&] {
    TensorData data(ElementType::i8, {8, 8});
    for (std::int64_t i = 0; i < data.size(); ++i) data.set(i, maker.draw(-127, 127));
    const TensorId id = add_quantized(maker, {8, 8}, grid(0.01F, 0));
    maker.graph.tensor(id).data = std::move(data);
    return id;
  };
  const TensorId a = add_quantized(maker, {2, 8}, grid(0.04F, -5));
  make_node(maker, FullyConnectedOp{}, {x, weights()}, a);
  const TensorId real = maker.add({2, 8});
  make_node(maker, DequantizeOp{}, {a}, real);
  const TensorId erf = maker.add_node(UnaryOp{UnaryKind::erf}, {real}, {2, 8});
  const TensorId sum = maker.add_node(BinaryOp{}, {erf, maker.add_constant({8})}, {2, 8});
  const TensorId b = add_quantized(maker, {2, 8}, grid(0.03F, 0));
  make_node(maker, QuantizeOp{}, {sum}, b);
  make_node(maker, FullyConnectedOp{}, {b, weights()}, add_quantized(maker, {2, 8}, grid(0.05F, 0)));
  return maker;
}

TensorData random_integers(const FloatGraph& maker) {
  const Tensor& tensor = maker.graph.tensor(maker.graph.inputs[0]);
  TensorData data(tensor.type, tensor.shape);
  FloatGraph numbers(5);
  for (std::int64_t i = 0; i < data.size(); ++i) data.set(i, numbers.draw(-128, 127));
  return data;
}

RunResult run(const FloatGraph& maker, const HardwareConfig& hardware, const TensorData& input,
              Values values) {
  validate(maker.graph);
  SimulateOptions options;
  options.values = values;
  options.dump_tensors = values != Values::none;
  return simulate(hardware, maker.graph,
                  values == Values::none ? std::vector<TensorData>{} : std::vector{input}, options);
}

std::int64_t cycles_of(const RunResult& result, CycleClass cycle_class) {
  return result.cycles[static_cast<std::size_t>(cycle_class)];
}

}  // namespace

TEST_CASE("a host operation takes the time that the memory takes to bring and fetch its operands") {
  FloatGraph maker;
  const Shape shape{1, 1600};  // 6,400 bytes: 100 bursts
  maker.add_node(UnaryOp{UnaryKind::relu}, {maker.add_input(shape)}, shape);
  const RunResult result = run(maker, simple_memory(), {}, Values::none);
  // The last burst of the input is there after 100 + 100 cycles, of the output another 100 + 100 later.
  CHECK(result.total_cycles == 400);
  CHECK(cycles_of(result, CycleClass::host) == 400);
  REQUIRE(result.layers.size() == 1);
  CHECK(result.layers[0].bound == Bound::host);
  CHECK(result.layers[0].on_host);
  CHECK(result.layers[0].span_cycles == 400);
  CHECK(result.activity[Event::host_read_bytes] == 6400);
  CHECK(result.activity[Event::host_write_bytes] == 6400);
  CHECK(result.activity[Event::dram_read_activation_bytes] == 6400);
  CHECK(result.activity[Event::dram_write_activation_bytes] == 6400);
  CHECK(result.activity[Event::dram_read_bursts] == 100);
  CHECK(result.activity[Event::dma_bytes] == 0);
}

TEST_CASE(
    "weights of a host operation are weights and biases are parameters, and its products are not the "
    "chip's") {
  FloatGraph maker;
  const TensorId x = maker.add_input({1, 32});
  maker.add_node(FullyConnectedOp{}, {x, maker.add_constant({16, 32}), maker.add_constant({16})}, {1, 16});
  const RunResult result = run(maker, simple_memory(), {}, Values::none);
  CHECK(result.activity[Event::dram_read_weight_bytes] == 4 * 16 * 32);
  CHECK(result.activity[Event::dram_read_parameter_bytes] == 4 * 16);
  CHECK(result.activity[Event::dram_read_activation_bytes] == 4 * 32);
  CHECK(result.macs == 0);
  CHECK(result.activity[Event::macs] == 0);
  CHECK(std::get<HostLayerMapping>(result.layers[0].mapping).macs == 16 * 32);
}

TEST_CASE(
    "a float operation amid quantized ones is a row of the host between conversions of the vector unit") {
  const FloatGraph maker = mixed_network();
  const RunResult result = run(maker, simple_memory(), {}, Values::none);
  std::vector<std::string> units;
  for (const LayerResult& layer : result.layers) units.emplace_back(unit_name(layer.mapping));
  CHECK(units ==
        std::vector<std::string>{"mac_array", "vector_unit", "host", "host", "vector_unit", "mac_array"});
  // Four bytes an element: the conversions write and read what the host reads and writes.
  CHECK(result.layers[1].activity[Event::dram_write_activation_bytes] == 4 * 16);
  CHECK(result.layers[2].activity[Event::host_read_bytes] == 4 * 16);
  CHECK(result.layers[4].activity[Event::dram_read_activation_bytes] == 4 * 16);
}

TEST_CASE("values that pass through the modelled memory are those of the layers, on the host too") {
  const FloatGraph maker = mixed_network();
  const TensorData input = random_integers(maker);
  const RunResult layer = run(maker, simple_memory(), input, Values::layer);
  const RunResult tile = run(maker, simple_memory(), input, Values::tile);
  REQUIRE(layer.dump.size() == tile.dump.size());
  for (std::size_t i = 0; i < layer.dump.size(); ++i) {
    INFO(layer.dump[i].name);
    CHECK(layer.dump[i].data.bytes == tile.dump[i].data.bytes);
  }
  CHECK(layer.total_cycles == tile.total_cycles);
}

TEST_CASE("a float network runs on the host, convolutions, reshapes and all") {
  FloatGraph maker(3);
  const TensorId x = maker.add_input({1, 6, 6, 2});
  const TensorId conv = maker.add_node(
      Conv2dOp{}, {x, maker.add_constant({3, 3, 3, 2}), maker.add_constant({3})}, {1, 4, 4, 3});
  const TensorId flat = maker.add_node(ReshapeOp{}, {conv}, {1, 48});
  maker.add_node(FullyConnectedOp{Activation::relu}, {flat, maker.add_constant({5, 48})}, {1, 5});
  FloatGraph numbers(11);
  const TensorData input = numbers.random_data({1, 6, 6, 2});
  const RunResult layer = run(maker, simple_memory(), input, Values::layer);
  const RunResult tile = run(maker, simple_memory(), input, Values::tile);
  CHECK(layer.outputs[0].data.bytes == tile.outputs[0].data.bytes);
  CHECK(layer.outputs[0].data.bytes == maker.run({input}).bytes);
  CHECK(layer.layers.size() == 2);  // the reshape is free
}

TEST_CASE("a chip without DRAM has no host") {
  FloatGraph maker;
  maker.add_node(UnaryOp{UnaryKind::relu}, {maker.add_input({1, 8})}, {1, 8});
  HardwareConfig hardware;
  hardware.dram.kind = DramKind::none;
  CHECK_THROWS_WITH(run(maker, hardware, {}, Values::none), Catch::Contains("set dram.kind to simple"));
}
