// A banked on-chip buffer: bytes, capacity, port widths.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <systemc>

#include "hw_models/activity.h"
#include "hw_models/core/buffer_if.h"
#include "hw_models/core/burst_ports.h"
#include "hw_models/core/processes.h"
#include "hw_models/hardware_config.h"
#include "hw_models/recorder.h"

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

/// Banks are interleaved by port word, so that a stream of whole words reaches the full port width.
/// BurstPorts says who waits where writes and the MAC array's reads meet.
class SramBuffer : public sc_core::sc_module, public BufferIf {
 public:
  SC_HAS_PROCESS(SramBuffer);
  SramBuffer(sc_core::sc_module_name name, const BufferConfig& config, BufferEvents events, bool moves_values,
             Recorder& recorder, Processes& processes);
  SramBuffer(const SramBuffer&) = delete;
  SramBuffer& operator=(const SramBuffer&) = delete;

  [[nodiscard]] const BufferConfig& config() const override { return config_; }
  [[nodiscard]] BufferStorage& storage() override { return storage_; }
  [[nodiscard]] const BufferStorage& storage() const override { return storage_; }
  [[nodiscard]] std::int64_t read_cycles(std::int64_t bytes) const override;
  [[nodiscard]] std::int64_t write_cycles(std::int64_t bytes) const override;
  [[nodiscard]] PortAccess access(std::span<const std::int64_t> words) const override;
  void count_read(std::int32_t row, std::int64_t bytes) override;
  void count_write(std::int32_t row, std::int64_t bytes) override;
  void count_reads(std::int32_t row, std::int64_t words, std::int64_t bytes) override;
  void count_line_buffer_write(std::int32_t row, std::int64_t bytes) override;
  void write_burst(std::int64_t beats, std::function<void()> accepted) override;
  void read_burst(std::int64_t beats, std::function<void()> accepted) override;
  /// Another unit reads through the array's ports as well (read_burst).
  void share_reads() { shares_reads_ = true; }
  [[nodiscard]] bool stops_reads() const override {
    return shares_reads_ || config_.arbitration == Arbitration::write_first;
  }
  void begin_read() override;
  void end_read() override;
  [[nodiscard]] bool is_taken(std::int64_t cycle) const override;
  [[nodiscard]] std::int64_t next_taken() const override;
  [[nodiscard]] const sc_core::sc_event& burst_event() const override { return burst_; }

 private:
  void arrive(std::int64_t beats, std::function<void()> accepted);
  void begin_bursts();
  void accept_waiting();
  void accept_unless_read();
  void schedule_begin();

  BufferConfig config_;
  BufferEvents events_;
  Recorder& recorder_;
  Processes& processes_;
  BufferStorage storage_;
  BurstPorts ports_;
  bool shares_reads_ = false;
  sc_core::sc_event burst_;    ///< One takes the ports.
  sc_core::sc_event arrived_;  ///< A cycle after a burst arrived (read_first).
  sc_core::sc_event begins_;   ///< A burst that is behind others gets the ports.
};

}  // namespace qsim
