// A banked on-chip buffer: bytes, capacity, port widths.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <span>
#include <string>
#include <systemc>
#include <utility>
#include <vector>

#include "hw_models/activity.h"
#include "hw_models/arithmetic/integer_format.h"
#include "hw_models/core/chip_context.h"
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

/// Port words of an access and the cycles that the ports need for them.
struct PortAccess {
  std::int64_t words = 0, cycles = 0;
};

/// Banks are interleaved by port word, so that a stream of whole words reaches the full port width.
///
/// Where writes and the MAC array's reads meet, BufferConfig::arbitration decides (fixed: they never do).
/// write_first: the beats of a burst of writes take the cycles that follow its arrival, one burst after the
/// other, and what the array reads stands still meanwhile. read_first: from the cycle after its arrival on a
/// burst waits until the array reads nothing, and the array's next read waits for the burst. What counts is
/// the cycle of an arrival, never the order of events within one.
class SramBuffer : public sc_core::sc_module {
 public:
  SC_HAS_PROCESS(SramBuffer);
  SramBuffer(sc_core::sc_module_name name, const BufferConfig& config, BufferEvents events,
             ChipContext& context);
  SramBuffer(const SramBuffer&) = delete;
  SramBuffer& operator=(const SramBuffer&) = delete;

  /// Cycles that all ports together need for `bytes`, wherever they lie.
  [[nodiscard]] std::int64_t read_cycles(std::int64_t bytes) const;
  [[nodiscard]] std::int64_t write_cycles(std::int64_t bytes) const;
  /// Counts an access of `bytes` in whole port words.
  void count_read(std::int32_t row, std::int64_t bytes);
  void count_write(std::int32_t row, std::int64_t bytes);

  /// Counts an access of `words` port words with `bytes` of payload.
  void count_reads(std::int32_t row, std::int64_t words, std::int64_t bytes);
  void count_line_buffer_write(std::int32_t row, std::int64_t bytes);

  /// Reading the words `words` (ascending, each once) in one go: `read_ports` words a cycle, from each bank
  /// one.
  [[nodiscard]] PortAccess access(std::span<const std::int64_t> words) const;

  /// A burst of `beats` writes arrives; `accepted` is called when it has the bank ports: at once (fixed), in
  /// the cycle before its first beat (write_first), in that of its first beat (read_first), which is a cycle
  /// after its arrival at the earliest.
  void write_burst(std::int64_t beats, std::function<void()> accepted);
  /// Waits, in an SC_THREAD, for bursts that have the ports; then the array reads until end_read().
  void begin_read();
  void end_read();
  /// Whether a burst has the ports in `cycle`, which is the present one or the one before (write_first).
  [[nodiscard]] bool is_taken(std::int64_t cycle) const;
  /// The first cycle from the present one in which a burst has the ports; none known: the largest integer.
  [[nodiscard]] std::int64_t next_taken() const;
  [[nodiscard]] const sc_core::sc_event& burst_event() const { return burst_; }

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
  /// Cycles [begin, end) that bursts have the ports.
  struct Window {
    std::int64_t begin = 0, end = 0;
  };
  struct Burst {
    std::int64_t arrival = 0, beats = 0;
    std::function<void()> accepted;
  };
  /// A burst that has not got the ports yet.
  struct Accepted {
    std::int64_t cycle = 0;
    std::function<void()> accepted;
  };
  /// The cycle of the first beat: `earliest`, or later where earlier bursts have the ports.
  std::int64_t take_ports(std::int64_t earliest, std::int64_t beats);
  void accept_at(std::int64_t cycle, std::function<void()> accepted);
  void begin_bursts();
  void accept_waiting();
  void accept_unless_read();

  Window taken_, taken_before_;  ///< The latest run of bursts without a gap, and the one before.
  sc_core::sc_event burst_;
  bool is_read_ = false;
  std::deque<Burst> waiting_;
  sc_core::sc_event arrived_;       ///< A cycle after a burst arrived (read_first).
  std::deque<Accepted> accepted_;   ///< Behind other bursts, in their order.
  sc_core::sc_event begins_;        ///< The first of them gets the ports.
  std::vector<std::byte> storage_;  ///< Empty where no values move.
};

}  // namespace qsim
