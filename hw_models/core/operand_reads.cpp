#include "hw_models/core/operand_reads.h"

#include <algorithm>
#include <optional>

#include "hw_models/arithmetic/bit_packing.h"

namespace qsim {

bool reads_by_address(const BufferConfig& buffer) {
  return buffer.bank_conflicts || buffer.line_buffer;
}

void count_reads_by_address(BufferIf& buffer, std::int32_t row, const BufferRead& pass) {
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
      dataflow_(tile.dataflow()),
      shape_(tile.shape()),
      order_(dataflow_.weight_order(shape_.groups, shape_.depth, shape_.channels)) {}

bool OperandReads::has_equal_steps() const {
  return !(dataflow_.streams_weights() && reads_by_address(ports_.weights.config())) &&
         !(dataflow_.streams_inputs() && reads_by_address(ports_.activations.config()));
}

bool OperandReads::has_lines() const {
  return (dataflow_.stays() == Stays::weights && reads_by_address(ports_.weights.config())) ||
         (dataflow_.stays() == Stays::inputs && reads_by_address(ports_.activations.config()));
}

StepRead OperandReads::step(std::int64_t step) {
  StepRead read;
  if (dataflow_.streams_weights()) read.weights = weights_of_step(step);
  if (dataflow_.streams_inputs()) read.activations = activations_of_step(step);
  return read;
}

BufferRead OperandReads::weights_of_step(std::int64_t step) {
  if (!reads_by_address(ports_.weights.config())) {
    const std::int64_t bytes =
        arithmetic::packed_bytes(dataflow_.step(shape_, 0).weights(), shape_.weight_bits);
    return {0, 0, ports_.weights.read_cycles(bytes)};
  }
  add_weights(dataflow_.step(shape_, step));
  return take(ports_.weights);
}

BufferRead OperandReads::activations_of_step(std::int64_t step) {
  if (!reads_by_address(ports_.activations.config())) {
    const std::int64_t bytes =
        arithmetic::packed_bytes(dataflow_.step(shape_, 0).inputs(), shape_.activation_bits);
    return {0, 0, ports_.activations.read_cycles(bytes)};
  }
  add_activations(dataflow_.step(shape_, step));
  return take(ports_.activations);
}

BufferRead OperandReads::line(std::int64_t index) {
  const std::optional<OperandBox> box = dataflow_.line(shape_, index);
  if (!box) return {};
  if (dataflow_.stays() == Stays::weights) {
    add_weights(*box);
    return take(ports_.weights);
  }
  add_activations(*box);
  return take(ports_.activations);
}

void OperandReads::add_run(std::int64_t bit, std::int64_t bits, std::int64_t port_bytes) {
  const std::int64_t last = (bit + bits - 1) / 8 / port_bytes;
  for (std::int64_t word = bit / 8 / port_bytes; word <= last; ++word) {
    if (words_.empty() || words_.back() != word) words_.push_back(word);
  }
  bits_ += bits;
}

void OperandReads::add_weights(const OperandBox& box) {
  const std::int64_t bits = shape_.weight_bits;
  const std::int64_t port_bytes = ports_.weights.config().read_port_bytes;
  for (std::int64_t group = box.groups.begin; group < box.groups.end; ++group) {
    for (std::int64_t k = box.k.begin; k < box.k.end; ++k) {
      for (std::int64_t c = box.channels.begin; c < box.channels.end; ++c) {
        add_run(8 * tile_.weights_address + order_.index(group, k, c) * bits, bits, port_bytes);
      }
    }
  }
}

void OperandReads::add_activations(const OperandBox& box) {
  for (std::int64_t pixel = box.pixels.begin; pixel < box.pixels.end; ++pixel) {
    for (std::int64_t group = box.groups.begin; group < box.groups.end; ++group) {
      add_activations(pixel, group, box.k);
    }
  }
}

/// The channels of a kernel tap lie side by side.
void OperandReads::add_activations(std::int64_t pixel, std::int64_t group, IndexRange reduction) {
  const std::int64_t bits = shape_.activation_bits;
  const BufferConfig& buffer = ports_.activations.config();
  for (std::int64_t k = reduction.begin; k < reduction.end;) {
    const Tap tap = tap_of(tile_.part, tile_.chunk_begin + k);
    const std::int64_t run = std::min(tile_.part.channel_end - tap.channel, reduction.end - k);
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
  const std::int64_t bits = shape_.activation_bits;
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

BufferRead OperandReads::take(const BufferIf& buffer) {
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
