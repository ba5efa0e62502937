#include "hw_models/core/sram_buffer.h"

#include <algorithm>
#include <limits>
#include <stdexcept>

#include "hw_models/arithmetic/bit_packing.h"
#include "hw_models/core/nest_cursor.h"
#include "hw_models/cycle.h"

namespace qsim {

SramBuffer::SramBuffer(sc_core::sc_module_name name, const BufferConfig& config, BufferEvents events,
                       ChipContext& context)
    : sc_module(name), config_(config), events_(events), context_(context) {
  if (context.moves_values) storage_.resize(static_cast<std::size_t>(config.capacity_bytes()));
  SC_METHOD(accept_unless_read);
  sensitive << arrived_;
  dont_initialize();
  SC_METHOD(begin_bursts);
  sensitive << begins_;
  dont_initialize();
}

std::int64_t SramBuffer::read_cycles(std::int64_t bytes) const {
  return ceil_div(bytes, config_.read_ports * config_.read_port_bytes);
}

std::int64_t SramBuffer::write_cycles(std::int64_t bytes) const {
  return ceil_div(bytes, config_.write_ports * config_.write_port_bytes);
}

void SramBuffer::count_read(std::int32_t row, std::int64_t bytes) {
  count_reads(row, ceil_div(bytes, config_.read_port_bytes), bytes);
}

void SramBuffer::count_reads(std::int32_t row, std::int64_t words, std::int64_t bytes) {
  Activity& events = context_.events(row);
  events[events_.reads] += words;
  events[events_.read_bytes] += bytes;
}

void SramBuffer::count_line_buffer_write(std::int32_t row, std::int64_t bytes) {
  context_.events(row)[Event::line_buffer_write_bytes] += bytes;
}

void SramBuffer::count_write(std::int32_t row, std::int64_t bytes) {
  Activity& events = context_.events(row);
  events[events_.writes] += ceil_div(bytes, config_.write_port_bytes);
  events[events_.write_bytes] += bytes;
}

PortAccess SramBuffer::access(std::span<const std::int64_t> words) const {
  std::vector<std::int64_t> of_bank(static_cast<std::size_t>(config_.banks));
  std::int64_t most = 0;
  for (const std::int64_t word : words) {
    most = std::max(most, ++of_bank[static_cast<std::size_t>(word % config_.banks)]);
  }
  const auto count = static_cast<std::int64_t>(words.size());
  return {count, std::max(ceil_div(count, config_.read_ports), most)};
}

std::int64_t SramBuffer::take_ports(std::int64_t earliest, std::int64_t beats) {
  if (taken_.end < earliest) {
    taken_before_ = taken_;
    taken_ = {earliest, earliest};
  }
  const std::int64_t begin = taken_.end;
  taken_.end += beats;
  burst_.notify(sc_core::SC_ZERO_TIME);
  return begin;
}

void SramBuffer::write_burst(std::int64_t beats, std::function<void()> accepted) {
  if (config_.arbitration == Arbitration::read_first) {
    waiting_.push_back({now_cycle(), beats, std::move(accepted)});
    arrived_.notify(cycles_to_time(1));
    return;
  }
  if (config_.arbitration == Arbitration::fixed) {
    accepted();
    return;
  }
  accept_at(take_ports(now_cycle() + 1, beats) - 1, std::move(accepted));
}

void SramBuffer::accept_at(std::int64_t cycle, std::function<void()> accepted) {
  if (cycle <= now_cycle()) {
    accepted();
    return;
  }
  accepted_.push_back({cycle, std::move(accepted)});
  begins_.notify(cycles_to_time(cycle - now_cycle()));  // an event keeps its earliest notification
}

void SramBuffer::begin_bursts() {
  context_.guard([this] {
    while (!accepted_.empty() && accepted_.front().cycle <= now_cycle()) {
      const std::function<void()> accepted = std::move(accepted_.front().accepted);
      accepted_.pop_front();
      accepted();
    }
  });
  if (!accepted_.empty()) begins_.notify(cycles_to_time(accepted_.front().cycle - now_cycle()));
}

/// Bursts that arrived before the present cycle.
void SramBuffer::accept_waiting() {
  while (!waiting_.empty() && waiting_.front().arrival < now_cycle()) {
    Burst burst = std::move(waiting_.front());
    waiting_.pop_front();
    accept_at(take_ports(now_cycle(), burst.beats), std::move(burst.accepted));
  }
}

void SramBuffer::accept_unless_read() {
  context_.guard([this] {
    if (!is_read_) accept_waiting();
  });
}

void SramBuffer::begin_read() {
  while (next_taken() <= now_cycle()) sc_core::wait(cycles_to_time(1));
  if (config_.arbitration != Arbitration::read_first) return;
  accept_waiting();
  while (now_cycle() < taken_.end) {
    sc_core::wait(cycles_to_time(taken_.end - now_cycle()));
    accept_waiting();
  }
  is_read_ = true;
}

void SramBuffer::end_read() {
  if (config_.arbitration != Arbitration::read_first) return;
  is_read_ = false;
  accept_waiting();
}

bool SramBuffer::is_taken(std::int64_t cycle) const {
  if (config_.arbitration != Arbitration::write_first) return false;
  const auto covers = [cycle](const Window& window) { return cycle >= window.begin && cycle < window.end; };
  return covers(taken_) || covers(taken_before_);
}

std::int64_t SramBuffer::next_taken() const {
  constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
  if (config_.arbitration != Arbitration::write_first || taken_.end <= now_cycle()) return kNever;
  return std::max(now_cycle(), taken_.begin);
}

void SramBuffer::check(std::int64_t address, std::int64_t size) const {
  if (address < 0 || size < 0 || address + size > static_cast<std::int64_t>(storage_.size())) {
    throw std::logic_error(std::string(name()) + ": access of " + std::to_string(size) +
                           " bytes at address " + std::to_string(address) + " outside its " +
                           std::to_string(storage_.size()) + " bytes");
  }
}

std::int64_t SramBuffer::read(std::int64_t bit_address, arithmetic::IntegerFormat format) const {
  check(bit_address / 8, (bit_address % 8 + format.bits + 7) / 8);
  return arithmetic::read_bits(storage_, bit_address, format);
}

void SramBuffer::write(std::int64_t bit_address, arithmetic::IntegerFormat format, std::int64_t value) {
  check(bit_address / 8, (bit_address % 8 + format.bits + 7) / 8);
  arithmetic::write_bits(storage_, bit_address, format, value);
}

std::span<std::byte> SramBuffer::bytes(std::int64_t address, std::int64_t size) {
  check(address, size);
  return std::span(storage_).subspan(static_cast<std::size_t>(address), static_cast<std::size_t>(size));
}

}  // namespace qsim
