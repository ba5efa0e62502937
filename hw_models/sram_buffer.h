// A banked on-chip buffer: bytes, capacity, port widths.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <systemc>
#include <vector>

#include "hw_models/activity.h"
#include "hw_models/arithmetic/integer_format.h"
#include "hw_models/chip_context.h"
#include "hw_models/hardware_config.h"

namespace qsim {

/// Events that one buffer counts under.
struct BufferEvents {
  Event reads, writes, read_bytes, write_bytes;
};
inline constexpr BufferEvents kWeightBufferEvents{Event::weight_buffer_reads, Event::weight_buffer_writes,
                                                  Event::weight_buffer_read_bytes,
                                                  Event::weight_buffer_write_bytes};
inline constexpr BufferEvents kActivationBufferEvents{
    Event::activation_buffer_reads, Event::activation_buffer_writes, Event::activation_buffer_read_bytes,
    Event::activation_buffer_write_bytes};

/// Banks are interleaved by port word, so that a stream of whole words reaches the full port width; port
/// sharing is a fixed slot pattern (reads and writes have their own ports), so an access never waits for
/// another.
class SramBuffer : public sc_core::sc_module {
 public:
  SramBuffer(sc_core::sc_module_name name, const BufferConfig& config, BufferEvents events,
             ChipContext& context);
  SramBuffer(const SramBuffer&) = delete;
  SramBuffer& operator=(const SramBuffer&) = delete;

  /// Cycles that the port needs for `bytes`.
  [[nodiscard]] std::int64_t read_cycles(std::int64_t bytes) const;
  [[nodiscard]] std::int64_t write_cycles(std::int64_t bytes) const;
  /// Counts an access of `bytes` in whole port words.
  void count_read(std::int32_t row, std::int64_t bytes);
  void count_write(std::int32_t row, std::int64_t bytes);

  /// Stored element at a bit address; std::logic_error outside the capacity.
  [[nodiscard]] std::int64_t read(std::int64_t bit_address, arithmetic::IntegerFormat format) const;
  void write(std::int64_t bit_address, arithmetic::IntegerFormat format, std::int64_t value);
  /// Bytes [address, address + size), for transfers; std::logic_error outside the capacity.
  [[nodiscard]] std::span<std::byte> bytes(std::int64_t address, std::int64_t size);

  [[nodiscard]] const BufferConfig& config() const { return config_; }

 private:
  void check(std::int64_t address, std::int64_t size) const;

  BufferConfig config_;
  BufferEvents events_;
  ChipContext& context_;
  std::vector<std::byte> storage_;  ///< Empty where no values move.
};

}  // namespace qsim
