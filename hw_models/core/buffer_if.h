// What the units around an on-chip buffer need of it.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <systemc>

#include "hw_models/core/buffer_storage.h"
#include "hw_models/hardware_config.h"

namespace qsim {

/// Port words of an access and the cycles that the ports need for them.
struct PortAccess {
  std::int64_t words = 0, cycles = 0;
};

/// Ports, events and bytes of one buffer (sram_buffer.h). Cycles are core cycles, rows are report rows.
class BufferIf : public virtual sc_core::sc_interface {
 public:
  [[nodiscard]] virtual const BufferConfig& config() const = 0;
  [[nodiscard]] virtual BufferStorage& storage() = 0;
  [[nodiscard]] virtual const BufferStorage& storage() const = 0;

  /// Cycles that all ports together need for `bytes`, wherever they lie.
  [[nodiscard]] virtual std::int64_t read_cycles(std::int64_t bytes) const = 0;
  [[nodiscard]] virtual std::int64_t write_cycles(std::int64_t bytes) const = 0;
  /// Reading the words `words` (ascending, each once) in one go: `read_ports` words a cycle, from each bank
  /// one.
  [[nodiscard]] virtual PortAccess access(std::span<const std::int64_t> words) const = 0;

  /// Counts an access of `bytes` in whole port words.
  virtual void count_read(std::int32_t row, std::int64_t bytes) = 0;
  virtual void count_write(std::int32_t row, std::int64_t bytes) = 0;
  /// Counts an access of `words` port words with `bytes` of payload.
  virtual void count_reads(std::int32_t row, std::int64_t words, std::int64_t bytes) = 0;
  virtual void count_line_buffer_write(std::int32_t row, std::int64_t bytes) = 0;

  /// A burst of `beats` writes arrives; `accepted` is called when it has the bank ports: at once (fixed), in
  /// the cycle before its first beat (write_first), in that of its first beat (read_first), which is a cycle
  /// after its arrival at the earliest.
  virtual void write_burst(std::int64_t beats, std::function<void()> accepted) = 0;
  /// A burst of `beats` reads of another unit, which takes all read ports in the cycles after its arrival,
  /// one burst after the other; what the array reads stands still meanwhile. `accepted` as above.
  virtual void read_burst(std::int64_t beats, std::function<void()> accepted) = 0;
  /// Waits, in an SC_THREAD, for bursts that have the ports; then the array reads until end_read().
  virtual void begin_read() = 0;
  virtual void end_read() = 0;
  /// Whether bursts may stop what the array reads while it reads.
  [[nodiscard]] virtual bool stops_reads() const = 0;
  /// Whether a burst has the ports in `cycle`, which is the present one or the one before.
  [[nodiscard]] virtual bool is_taken(std::int64_t cycle) const = 0;
  /// The first cycle from the present one in which a burst has the ports; none known: the largest integer.
  [[nodiscard]] virtual std::int64_t next_taken() const = 0;
  [[nodiscard]] virtual const sc_core::sc_event& burst_event() const = 0;
};

}  // namespace qsim
