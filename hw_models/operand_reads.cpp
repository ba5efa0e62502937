#include "hw_models/operand_reads.h"

#include <algorithm>

#include "hw_models/arithmetic/bit_packing.h"

namespace qsim {

OperandReads::OperandReads(const MacTile& tile, const ArrayPorts& ports)
    : tile_(tile),
      ports_(ports),
      by_address_(ports.weights.config().bank_conflicts || ports.activations.config().bank_conflicts ||
                  ports.activations.config().line_buffer),
      order_(tile.nest->dataflow, tile.groups(), tile.chunk_depth, tile.group_channels()) {}

StepRead OperandReads::uniform_step() const {
  const GemmNest& nest = *tile_.nest;
  const auto read = [](const SramBuffer& buffer, std::int64_t elements, int bits) {
    return BufferRead{0, 0, buffer.read_cycles(arithmetic::packed_bytes(elements, bits))};
  };
  StepRead step;
  if (nest.dataflow != Dataflow::input_stationary) {
    step.activations = read(ports_.activations, tile_.rows_used(), nest.activation_format.bits);
  }
  if (nest.dataflow != Dataflow::weight_stationary) {
    std::int64_t weights = tile_.rows_used();
    if (tile_.keeps_sums_in_pes()) weights = tile_.columns_used();
    if (tile_.weights_each_pixel()) weights = tile_.rows_used() * tile_.group_channels();
    step.weights = read(ports_.weights, weights, nest.weight_format.bits);
  }
  return step;
}

StepRead OperandReads::step(std::int64_t step) {
  if (is_uniform()) return uniform_step();
  const std::int64_t depth = tile_.chunk_depth;
  const std::int64_t channels = tile_.group_channels();
  StepRead read;
  if (tile_.keeps_sums_in_pes()) {
    for (std::int64_t g = 0; g < tile_.groups(); ++g) add_weights(g, step, step + 1, 0, channels);
    read.weights = take_weights();
    for (std::int64_t pixel = 0; pixel < tile_.pixels(); ++pixel) {
      for (std::int64_t g = 0; g < tile_.groups(); ++g) add_activations(pixel, g, step, step + 1);
    }
    read.activations = take_activations();
  } else if (tile_.weights_each_pixel()) {
    const ChunkCut cut(tile_.part, tile_.nest->chunk_rows, tile_.nest->reduction);
    const std::int64_t begin = cut.begin(step % cut.count());
    const std::int64_t end = begin + cut.depth(step % cut.count());
    for (std::int64_t g = 0; g < tile_.groups(); ++g) add_weights(g, begin, end, 0, channels);
    read.weights = take_weights();
    for (std::int64_t g = 0; g < tile_.groups(); ++g) add_activations(step / cut.count(), g, begin, end);
    read.activations = take_activations();
  } else if (tile_.nest->dataflow == Dataflow::input_stationary) {
    for (std::int64_t g = 0; g < tile_.groups(); ++g) add_weights(g, 0, depth, step, step + 1);
    read.weights = take_weights();
  } else {
    for (std::int64_t g = 0; g < tile_.groups(); ++g) add_activations(step, g, 0, depth);
    read.activations = take_activations();
  }
  return read;
}

BufferRead OperandReads::line(std::int64_t index) {
  const std::int64_t depth = tile_.chunk_depth;
  const bool by_rows = tile_.nest->organization == Organization::systolic;
  if (index >= (by_rows ? tile_.rows_used() : tile_.columns_used())) return {};
  if (tile_.nest->dataflow == Dataflow::weight_stationary) {
    if (by_rows) {
      add_weights(index / depth, index % depth, index % depth + 1, 0, tile_.group_channels());
    } else {
      const std::int64_t channel = index % tile_.group_channels();
      add_weights(index / tile_.group_channels(), 0, depth, channel, channel + 1);
    }
    return take_weights();
  }
  if (by_rows) {
    for (std::int64_t pixel = 0; pixel < tile_.pixels(); ++pixel) {
      add_activations(pixel, index / depth, index % depth, index % depth + 1);
    }
  } else {
    add_activations(index % tile_.pixels(), index / tile_.pixels(), 0, depth);
  }
  return take_activations();
}

void OperandReads::add_run(std::int64_t bit, std::int64_t bits, std::int64_t port_bytes) {
  const std::int64_t last = (bit + bits - 1) / 8 / port_bytes;
  for (std::int64_t word = bit / 8 / port_bytes; word <= last; ++word) words_.push_back(word);
}

void OperandReads::add_weights(std::int64_t group, std::int64_t k_begin, std::int64_t k_end,
                               std::int64_t channel_begin, std::int64_t channel_end) {
  const std::int64_t bits = tile_.nest->weight_format.bits;
  const std::int64_t port_bytes = ports_.weights.config().read_port_bytes;
  for (std::int64_t k = k_begin; k < k_end; ++k) {
    for (std::int64_t c = channel_begin; c < channel_end; ++c) {
      add_run(8 * tile_.weights_address + order_.index(group, k, c) * bits, bits, port_bytes);
      ++elements_;
    }
  }
}

void OperandReads::add_activations(std::int64_t pixel, std::int64_t group, std::int64_t k_begin,
                                   std::int64_t k_end) {
  const std::int64_t bits = tile_.nest->activation_format.bits;
  const std::int64_t port_bytes = ports_.activations.config().read_port_bytes;
  for (std::int64_t k = k_begin; k < k_end; ++k) {
    const std::optional<std::int64_t> bit = activation_address(tile_, pixel, group, k);
    if (!bit) continue;
    if (ports_.activations.config().line_buffer) {
      const auto element = static_cast<std::size_t>(*bit - 8 * tile_.input.base);
      if (held_.size() <= element) held_.resize(2 * element + 1);
      if (held_[element]) continue;
      held_[element] = true;
    }
    add_run(*bit, bits, port_bytes);
    ++elements_;
  }
}

BufferRead OperandReads::take_weights() {
  return take(ports_.weights, elements_ * tile_.nest->weight_format.bits);
}

BufferRead OperandReads::take_activations() {
  return take(ports_.activations, elements_ * tile_.nest->activation_format.bits);
}

BufferRead OperandReads::take(const SramBuffer& buffer, std::int64_t bits_read) {
  BufferRead read;
  read.bytes = (bits_read + 7) / 8;
  std::sort(words_.begin(), words_.end());
  words_.erase(std::unique(words_.begin(), words_.end()), words_.end());
  if (buffer.config().bank_conflicts) {
    const PortAccess access = buffer.access(words_);
    read.words = access.words;
    read.cycles = access.cycles;
  } else {
    read.words = (read.bytes + buffer.config().read_port_bytes - 1) / buffer.config().read_port_bytes;
    read.cycles = buffer.read_cycles(read.bytes);
  }
  words_.clear();
  elements_ = 0;
  return read;
}

}  // namespace qsim
