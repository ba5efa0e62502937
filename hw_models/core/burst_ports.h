// Who has the bank ports of a buffer where bursts of writes and the MAC array's reads meet.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>

#include "hw_models/hardware_config.h"

namespace qsim {

/// fixed: nobody waits. write_first: the beats of a burst take the cycles that follow its arrival, one burst
/// after the other, and what the array reads stands still meanwhile. read_first: from the cycle after its
/// arrival on a burst waits until the array reads nothing, and the array's next read waits for the burst.
/// What counts is the cycle of an arrival, never the order of events within one. Time is told by the caller.
class BurstPorts {
 public:
  using Cycle = std::int64_t;

  /// `taken` is called when a burst takes ports, before it is told so; may be empty.
  explicit BurstPorts(Arbitration arbitration, std::function<void()> taken = {})
      : arbitration_(arbitration), taken_ports_(std::move(taken)) {}

  /// A burst of `beats` writes; `accepted` is called when it has the ports (BufferIf::write_burst): by this
  /// or by one of the calls below.
  void arrive(Cycle now, std::int64_t beats, std::function<void()> accepted);
  /// Bursts that arrived before `now` take the ports (read_first).
  void accept_waiting(Cycle now);
  /// When the next burst that is behind others has the ports, and tells those that have them by `now`.
  [[nodiscard]] std::optional<Cycle> next_begin() const;
  void begin(Cycle now);

  /// The array reads (read_first).
  void set_read(bool is_read) { is_read_ = is_read; }
  [[nodiscard]] bool is_read() const { return is_read_; }
  /// From here on no burst that has been accepted has the ports.
  [[nodiscard]] Cycle free_from() const { return window_.end; }
  /// BufferIf::is_taken, next_taken.
  [[nodiscard]] bool is_taken(Cycle cycle) const;
  [[nodiscard]] Cycle next_taken(Cycle now) const;

 private:
  /// Cycles [begin, end) that bursts have the ports.
  struct Window {
    Cycle begin = 0, end = 0;
  };
  struct Burst {
    Cycle arrival = 0;
    std::int64_t beats = 0;
    std::function<void()> accepted;
  };
  /// A burst that has not got the ports yet.
  struct Accepted {
    Cycle cycle = 0;
    std::function<void()> accepted;
  };
  /// The cycle of the first beat: `earliest`, or later where earlier bursts have the ports.
  [[nodiscard]] Cycle take(Cycle earliest, std::int64_t beats);
  void accept_at(Cycle cycle, Cycle now, std::function<void()> accepted);

  Arbitration arbitration_;
  std::function<void()> taken_ports_;
  Window window_, window_before_;  ///< The latest run of bursts without a gap, and the one before.
  bool is_read_ = false;
  std::deque<Burst> waiting_;      ///< For the end of a read.
  std::deque<Accepted> accepted_;  ///< Behind other bursts, in their order.
};

}  // namespace qsim
