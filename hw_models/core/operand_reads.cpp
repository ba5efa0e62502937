#include "hw_models/core/operand_reads.h"

#include <algorithm>

#include "hw_models/arithmetic/bit_packing.h"

namespace qsim {

namespace {

/// Chunk `step` of the reduction of the pixel that it belongs to, where weights change with each step.
struct StepChunk {
  std::int64_t pixel = 0, begin = 0, end = 0;
};

StepChunk chunk_of(const MacTile& tile, std::int64_t step) {
  const ChunkCut cut(tile.part, tile.nest->mapping().chunk_rows, tile.nest->mapping().reduction);
  const std::int64_t chunk = step % cut.count();
  return {step / cut.count(), cut.begin(chunk), cut.begin(chunk) + cut.depth(chunk)};
}

}  // namespace

bool reads_by_address(const BufferConfig& buffer) {
  return buffer.bank_conflicts || buffer.line_buffer;
}

void count_reads_by_address(SramBuffer& buffer, std::int32_t row, const BufferRead& pass) {
  const std::int64_t bytes = ceil_div(pass.bits, 8);
  if (buffer.config().bank_conflicts) {
    buffer.count_reads(row, pass.words, bytes);
  } else {
    buffer.count_read(row, bytes);
  }
  if (buffer.config().line_buffer) buffer.count_line_buffer_write(row, bytes);
}

OperandReads::OperandReads(const MacTile& tile, const ArrayPorts& ports)
    : tile_(tile),
      ports_(ports),
      order_(tile.nest->mapping().dataflow, tile.groups(), tile.chunk_depth, tile.group_channels()) {}

bool OperandReads::streams_weights() const {
  return tile_.nest->mapping().dataflow != Dataflow::weight_stationary;
}

bool OperandReads::streams_activations() const {
  return tile_.nest->mapping().dataflow != Dataflow::input_stationary;
}

bool OperandReads::has_equal_steps() const {
  return !(streams_weights() && reads_by_address(ports_.weights.config())) &&
         !(streams_activations() && reads_by_address(ports_.activations.config()));
}

bool OperandReads::has_lines() const {
  return (!streams_weights() && reads_by_address(ports_.weights.config())) ||
         (!streams_activations() && reads_by_address(ports_.activations.config()));
}

StepRead OperandReads::step(std::int64_t step) {
  StepRead read;
  if (streams_weights()) read.weights = weights_of_step(step);
  if (streams_activations()) read.activations = activations_of_step(step);
  return read;
}

BufferRead OperandReads::weights_of_step(std::int64_t step) {
  const std::int64_t channels = tile_.group_channels();
  if (!reads_by_address(ports_.weights.config())) {
    std::int64_t weights = tile_.rows_used();
    if (tile_.keeps_sums_in_pes()) weights = tile_.columns_used();
    if (tile_.weights_each_pixel()) weights = tile_.rows_used() * channels;
    const std::int64_t bytes = arithmetic::packed_bytes(weights, tile_.nest->problem().weight_format.bits);
    return {0, 0, ports_.weights.read_cycles(bytes)};
  }
  const StepChunk chunk = tile_.weights_each_pixel() ? chunk_of(tile_, step) : StepChunk{};
  for (std::int64_t g = 0; g < tile_.groups(); ++g) {
    if (tile_.keeps_sums_in_pes()) {
      add_weights(g, step, step + 1, 0, channels);
    } else if (tile_.weights_each_pixel()) {
      add_weights(g, chunk.begin, chunk.end, 0, channels);
    } else {
      add_weights(g, 0, tile_.chunk_depth, step, step + 1);
    }
  }
  return take(ports_.weights);
}

BufferRead OperandReads::activations_of_step(std::int64_t step) {
  if (!reads_by_address(ports_.activations.config())) {
    const std::int64_t bytes =
        arithmetic::packed_bytes(tile_.rows_used(), tile_.nest->problem().activation_format.bits);
    return {0, 0, ports_.activations.read_cycles(bytes)};
  }
  const StepChunk chunk = tile_.weights_each_pixel() ? chunk_of(tile_, step) : StepChunk{};
  const std::int64_t pixels = tile_.keeps_sums_in_pes() ? tile_.pixels() : 1;
  for (std::int64_t pixel = 0; pixel < pixels; ++pixel) {
    for (std::int64_t g = 0; g < tile_.groups(); ++g) {
      if (tile_.keeps_sums_in_pes()) {
        add_activations(pixel, g, step, step + 1);
      } else if (tile_.weights_each_pixel()) {
        add_activations(chunk.pixel, g, chunk.begin, chunk.end);
      } else {
        add_activations(step, g, 0, tile_.chunk_depth);
      }
    }
  }
  return take(ports_.activations);
}

BufferRead OperandReads::line(std::int64_t index) {
  const std::int64_t depth = tile_.chunk_depth;
  const bool by_rows = tile_.nest->mapping().organization == Organization::systolic;
  if (index >= (by_rows ? tile_.rows_used() : tile_.columns_used())) return {};
  if (tile_.nest->mapping().dataflow == Dataflow::weight_stationary) {
    if (by_rows) {
      add_weights(index / depth, index % depth, index % depth + 1, 0, tile_.group_channels());
    } else {
      const std::int64_t channel = index % tile_.group_channels();
      add_weights(index / tile_.group_channels(), 0, depth, channel, channel + 1);
    }
    return take(ports_.weights);
  }
  if (by_rows) {
    for (std::int64_t pixel = 0; pixel < tile_.pixels(); ++pixel) {
      add_activations(pixel, index / depth, index % depth, index % depth + 1);
    }
  } else {
    add_activations(index % tile_.pixels(), index / tile_.pixels(), 0, depth);
  }
  return take(ports_.activations);
}

void OperandReads::add_run(std::int64_t bit, std::int64_t bits, std::int64_t port_bytes) {
  const std::int64_t last = (bit + bits - 1) / 8 / port_bytes;
  for (std::int64_t word = bit / 8 / port_bytes; word <= last; ++word) {
    if (words_.empty() || words_.back() != word) words_.push_back(word);
  }
  bits_ += bits;
}

void OperandReads::add_weights(std::int64_t group, std::int64_t k_begin, std::int64_t k_end,
                               std::int64_t channel_begin, std::int64_t channel_end) {
  const std::int64_t bits = tile_.nest->problem().weight_format.bits;
  const std::int64_t port_bytes = ports_.weights.config().read_port_bytes;
  for (std::int64_t k = k_begin; k < k_end; ++k) {
    for (std::int64_t c = channel_begin; c < channel_end; ++c) {
      add_run(8 * tile_.weights_address + order_.index(group, k, c) * bits, bits, port_bytes);
    }
  }
}

/// The channels of a kernel tap lie side by side.
void OperandReads::add_activations(std::int64_t pixel, std::int64_t group, std::int64_t k_begin,
                                   std::int64_t k_end) {
  const std::int64_t bits = tile_.nest->problem().activation_format.bits;
  const BufferConfig& buffer = ports_.activations.config();
  for (std::int64_t k = k_begin; k < k_end;) {
    const Tap tap = tap_of(tile_.part, tile_.chunk_begin + k);
    const std::int64_t run = std::min(tile_.part.channel_end - tap.channel, k_end - k);
    if (const std::optional<std::int64_t> bit = activation_address(tile_, pixel, group, k)) {
      if (buffer.line_buffer) {
        add_new_activations(*bit, run);
      } else {
        add_run(*bit, run * bits, buffer.read_port_bytes);
      }
    }
    k += run;
  }
}

/// Those of a run of elements that are not in the line buffer yet.
void OperandReads::add_new_activations(std::int64_t bit, std::int64_t elements) {
  const std::int64_t bits = tile_.nest->problem().activation_format.bits;
  const auto first = static_cast<std::size_t>((bit - 8 * tile_.input.base) / bits);
  const std::size_t end = first + static_cast<std::size_t>(elements);
  if (held_.size() < end) held_.resize(2 * end);
  for (std::size_t at = first; at < end;) {
    std::size_t next = at;
    while (next < end && held_[next] == held_[at]) ++next;
    if (!held_[at]) {
      const auto offset = static_cast<std::int64_t>(at - first);
      add_run(bit + offset * bits, static_cast<std::int64_t>(next - at) * bits,
              ports_.activations.config().read_port_bytes);
      std::fill(held_.begin() + static_cast<std::ptrdiff_t>(at),
                held_.begin() + static_cast<std::ptrdiff_t>(next), true);
    }
    at = next;
  }
}

BufferRead OperandReads::take(const SramBuffer& buffer) {
  BufferRead read;
  read.bits = bits_;
  if (buffer.config().bank_conflicts) {
    std::sort(words_.begin(), words_.end());
    words_.erase(std::unique(words_.begin(), words_.end()), words_.end());
    const PortAccess access = buffer.access(words_);
    read.words = access.words;
    read.cycles = access.cycles;
  } else {
    read.cycles = buffer.read_cycles(ceil_div(bits_, 8));
  }
  words_.clear();
  bits_ = 0;
  return read;
}

}  // namespace qsim
