// What each step of a pass reads of the activation buffer, counted by hand.
#include "hw_models/core/operand_reads.h"

#include <catch2/catch.hpp>
#include <numeric>

#include "hw_models/core/sram_buffer.h"
#include "hw_models/simulation_context.h"

namespace qsim {
namespace {

constexpr std::int64_t kKernel = 3, kChannels = 4;
constexpr std::int64_t kInputRows = 4, kInputColumns = 5, kOutputRows = 2, kOutputColumns = 3;
/// A word holds the channels of one pixel.
constexpr std::int64_t kPortBytes = kChannels;

BufferConfig one_port(bool line_buffer) {
  BufferConfig config;
  config.read_port_bytes = kPortBytes;
  config.read_ports = 1;
  config.line_buffer = line_buffer;
  return config;
}

/// Pixels that the steps of a pass of a 3x3 convolution read, stride 1, no padding, all of its reduction in
/// one chunk.
std::vector<std::int64_t> pixels_of_steps(const BufferConfig& activations) {
  const SimulationContext simulation;
  Recorder recorder(1);
  Processes processes;
  const SramBuffer weight_buffer("weights", BufferConfig{}, kWeightBufferEvents, false, recorder, processes);
  const SramBuffer activation_buffer("activations", activations, kActivationBufferEvents, false, recorder,
                                     processes);
  GemmProblem problem;
  problem.geometry.input = {1, kInputRows, kInputColumns, kChannels};
  problem.geometry.kernel_h = problem.geometry.kernel_w = kKernel;
  problem.geometry.output = {1, kOutputRows, kOutputColumns, 1};
  problem.weight_format = problem.activation_format = {8, true};
  GemmMapping mapping;
  mapping.chunk_rows = kKernel * kKernel * kChannels;
  const GemmNest nest(0, problem, mapping, {});
  MacTile tile;
  tile.nest = &nest;
  tile.columns = {0, 1, 0, 1};
  tile.part = {0, kKernel, 0, kKernel, 0, kChannels};
  tile.chunk_depth = mapping.chunk_rows;
  tile.output = {{0, 0, 0, 0}, {1, kOutputRows, kOutputColumns, 1}};
  tile.pixel_end = kOutputRows * kOutputColumns;
  tile.input.strides = {kInputRows * kInputColumns * kChannels, kInputColumns * kChannels, kChannels};
  tile.input.format = {8, true};
  OperandReads reads(tile, {weight_buffer, activation_buffer, 1});
  std::vector<std::int64_t> pixels;
  for (std::int64_t step = 0; step < tile.pixel_end; ++step) {
    const BufferRead read = reads.step(step).activations;
    CHECK(read.bits % (8 * kChannels) == 0);
    pixels.push_back(read.bits / (8 * kChannels));
    CHECK(read.cycles == pixels.back());  // one port
    if (activations.bank_conflicts) CHECK(read.words == pixels.back());
  }
  return pixels;
}

TEST_CASE("a line buffer reads each element of a convolution's input once") {
  // The first window reads its 3 x 3 pixels, the next ones of its row a column of 3 each; of the second row
  // of outputs the first reads the 3 pixels of the new row of inputs, the next ones a pixel each.
  const std::vector<std::int64_t> once = {9, 3, 3, 3, 1, 1};
  CHECK(pixels_of_steps(one_port(true)) == once);
  CHECK(once.size() == kOutputRows * kOutputColumns);
  CHECK(std::accumulate(once.begin(), once.end(), std::int64_t{0}) == kInputRows * kInputColumns);
}

TEST_CASE("without a line buffer each window is read whole") {
  BufferConfig by_address = one_port(false);
  by_address.bank_conflicts = true;  // the steps are looked at one by one
  CHECK(pixels_of_steps(by_address) ==
        std::vector<std::int64_t>(kOutputRows * kOutputColumns, kKernel * kKernel));
}

}  // namespace
}  // namespace qsim
