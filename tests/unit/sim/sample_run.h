// A run of one 1x1 convolution (4x4 pixels, 8 to 16 channels) as a simulator would return it: every sum
// closes.
#pragma once

#include "sim/result.h"
#include "workloads/graph/graph.h"

namespace sample {

inline qsim::Graph graph() {
  using qsim::ElementType;
  qsim::Graph graph;
  graph.name = "sample";
  graph.source = "/some/folder/sample.json";
  const auto tensor = [](const char* name, const qsim::Shape& shape) {
    qsim::Tensor made;
    made.name = name;
    made.shape = shape;
    made.quantization = qsim::Quantization{};
    return made;
  };
  graph.tensors = {tensor("x", {1, 4, 4, 8}), tensor("w", {16, 1, 1, 8}), tensor("y", {1, 4, 4, 16})};
  graph.tensors[1].data = qsim::TensorData(ElementType::i8, {16, 1, 1, 8});
  graph.nodes.push_back({"conv", "layers[0]", qsim::Conv2dOp{}, {0, 1, qsim::kNoTensor}, {2}});
  graph.inputs = {0};
  graph.outputs = {2};
  return graph;
}

/// 4*4*16 outputs x 8 reduction = 2048 MACs.
inline qsim::LayerResult layer() {
  using qsim::Event;
  qsim::LayerResult layer;
  layer.name = "conv";
  layer.nodes = {"conv"};
  layer.op = "conv2d";
  layer.macs = 2048;
  layer.cycles = 200;
  layer.span_cycles = 180;
  layer.peak_macs_per_cycle = 1024;
  layer.cycles_breakdown[static_cast<std::size_t>(qsim::CycleClass::compute)] = 16;
  layer.cycles_breakdown[static_cast<std::size_t>(qsim::CycleClass::wait_weights)] = 184;
  layer.weight_bits = 8;
  layer.activation_bits = 8;
  layer.accumulator_bits = 32;
  layer.rounding_profile = qsim::arithmetic::RoundingProfile::fixed_point_double_rounding;
  layer.bound = qsim::Bound::weights;
  layer.accumulator = qsim::arithmetic::AccumulatorStats{-100, 5000, 0};
  layer.accumulator_worst_case = qsim::arithmetic::AccumulatorRange{-8192, 8191};  // 14 bits
  layer.accumulator_bits_any_weights = 20;
  const std::vector<std::pair<Event, std::int64_t>> counts = {{Event::macs, 2048},
                                                              {Event::weight_register_writes, 128},
                                                              {Event::weight_buffer_reads, 4},
                                                              {Event::weight_buffer_writes, 7},
                                                              {Event::weight_buffer_read_bytes, 128},
                                                              {Event::weight_buffer_write_bytes, 208},
                                                              {Event::activation_buffer_reads, 8},
                                                              {Event::activation_buffer_writes, 8},
                                                              {Event::activation_buffer_read_bytes, 384},
                                                              {Event::activation_buffer_write_bytes, 384},
                                                              {Event::accumulator_reads, 256},
                                                              {Event::accumulator_writes, 256},
                                                              {Event::accumulator_adds, 256},
                                                              {Event::requantizations, 256},
                                                              {Event::dma_bytes, 592},
                                                              {Event::dma_requests, 4},
                                                              {Event::dram_read_bursts, 6},
                                                              {Event::dram_write_bursts, 4},
                                                              {Event::dram_read_weight_bytes, 128},
                                                              {Event::dram_read_parameter_bytes, 80},
                                                              {Event::dram_read_activation_bytes, 128},
                                                              {Event::dram_write_activation_bytes, 256},
                                                              {Event::commands, 5}};
  for (const auto& [event, count] : counts) layer.activity[event] = count;
  return layer;
}

inline qsim::RunResult run() {
  qsim::RunResult result;
  result.hardware.name = "sample chip";
  result.workload_name = "sample";
  result.workload_source = "/some/folder/sample.json";
  result.layers = {layer()};
  result.total_cycles = 200;
  result.macs = 2048;
  result.peak_macs_per_cycle = 1024;
  result.cycles = result.layers[0].cycles_breakdown;
  result.activity = result.layers[0].activity;
  result.outputs = {{"y", qsim::TensorData(qsim::ElementType::i8, {1, 4, 4, 16}), qsim::Quantization{}}};
  return result;
}

}  // namespace sample
