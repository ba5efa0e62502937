#include "hw_models/sram_buffer.h"

#include <stdexcept>

#include "hw_models/arithmetic/bit_packing.h"
#include "hw_models/nest_cursor.h"

namespace qsim {

SramBuffer::SramBuffer(sc_core::sc_module_name name, const BufferConfig& config, BufferEvents events,
                       ChipContext& context)
    : sc_module(name), config_(config), events_(events), context_(context) {
  if (context.moves_values) storage_.resize(static_cast<std::size_t>(config.capacity_bytes()));
}

std::int64_t SramBuffer::read_cycles(std::int64_t bytes) const {
  return ceil_div(bytes, config_.read_port_bytes);
}

std::int64_t SramBuffer::write_cycles(std::int64_t bytes) const {
  return ceil_div(bytes, config_.write_port_bytes);
}

void SramBuffer::count_read(std::int32_t row, std::int64_t bytes) {
  Activity& events = context_.events(row);
  events[events_.reads] += read_cycles(bytes);
  events[events_.read_bytes] += bytes;
}

void SramBuffer::count_write(std::int32_t row, std::int64_t bytes) {
  Activity& events = context_.events(row);
  events[events_.writes] += write_cycles(bytes);
  events[events_.write_bytes] += bytes;
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
