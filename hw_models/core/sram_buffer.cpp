#include "hw_models/core/sram_buffer.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "hw_models/core/nest_cursor.h"
#include "hw_models/cycle.h"

namespace qsim {

SramBuffer::SramBuffer(sc_core::sc_module_name name, const BufferConfig& config, BufferEvents events,
                       bool moves_values, Recorder& recorder, Processes& processes)
    : sc_module(name),
      config_(config),
      events_(events),
      recorder_(recorder),
      processes_(processes),
      storage_(sc_module::name(), moves_values ? config.capacity_bytes() : 0),
      // Where writes have ports of their own, bursts of reads are all that comes.
      ports_(config.arbitration == Arbitration::fixed ? Arbitration::write_first : config.arbitration,
             [this] { burst_.notify(sc_core::SC_ZERO_TIME); }) {
  SC_METHOD(accept_unless_read);
  sensitive << arrived_;
  dont_initialize();
  SC_METHOD(begin_bursts);
  sensitive << begins_;
  dont_initialize();
}

std::int64_t SramBuffer::read_cycles(std::int64_t bytes) const {
  return config_.read_cycles(bytes);
}

std::int64_t SramBuffer::write_cycles(std::int64_t bytes) const {
  return config_.write_cycles(bytes);
}

void SramBuffer::count_read(std::int32_t row, std::int64_t bytes) {
  count_reads(row, ceil_div(bytes, config_.read_port_bytes), bytes);
}

void SramBuffer::count_reads(std::int32_t row, std::int64_t words, std::int64_t bytes) {
  Activity& events = recorder_.events(row);
  events[events_.reads] += words;
  events[events_.read_bytes] += bytes;
}

void SramBuffer::count_line_buffer_write(std::int32_t row, std::int64_t bytes) {
  recorder_.events(row)[Event::line_buffer_write_bytes] += bytes;
}

void SramBuffer::count_write(std::int32_t row, std::int64_t bytes) {
  Activity& events = recorder_.events(row);
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

void SramBuffer::write_burst(std::int64_t beats, std::function<void()> accepted) {
  if (config_.arbitration == Arbitration::fixed) {
    accepted();
  } else {
    arrive(beats, std::move(accepted));
  }
}

void SramBuffer::read_burst(std::int64_t beats, std::function<void()> accepted) {
  arrive(beats, std::move(accepted));
}

void SramBuffer::arrive(std::int64_t beats, std::function<void()> accepted) {
  if (config_.arbitration == Arbitration::read_first) arrived_.notify(cycles_to_time(1));
  ports_.arrive(now_cycle(), beats, std::move(accepted));
  schedule_begin();
}

/// An event keeps its earliest notification.
void SramBuffer::schedule_begin() {
  if (const std::optional<Cycle> next = ports_.next_begin()) {
    begins_.notify(cycles_to_time(*next - now_cycle()));
  }
}

void SramBuffer::begin_bursts() {
  processes_.guard([this] { ports_.begin(now_cycle()); });
  schedule_begin();
}

void SramBuffer::accept_waiting() {
  ports_.accept_waiting(now_cycle());
  schedule_begin();
}

void SramBuffer::accept_unless_read() {
  processes_.guard([this] {
    if (!ports_.is_read()) accept_waiting();
  });
}

void SramBuffer::begin_read() {
  while (next_taken() <= now_cycle()) sc_core::wait(cycles_to_time(1));
  if (config_.arbitration != Arbitration::read_first) return;
  accept_waiting();
  while (now_cycle() < ports_.free_from()) {
    sc_core::wait(cycles_to_time(ports_.free_from() - now_cycle()));
    accept_waiting();
  }
  ports_.set_read(true);
}

void SramBuffer::end_read() {
  if (config_.arbitration != Arbitration::read_first) return;
  ports_.set_read(false);
  accept_waiting();
}

bool SramBuffer::is_taken(std::int64_t cycle) const {
  return ports_.is_taken(cycle);
}

std::int64_t SramBuffer::next_taken() const {
  return ports_.next_taken(now_cycle());
}

}  // namespace qsim
