// Signals over time in the Value Change Dump format (IEEE 1364-2005, clause 18), as waveform viewers open it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hw_models/cycle.h"

namespace qsim {

/// Signals are declared before the first cycle; sample() writes what changed since the cycle before. One time
/// step of the file is one core cycle. Only the cycles [from, to) are kept. The text goes piece by piece to
/// `write`, which may throw: a long window takes no memory.
class Waveform {
 public:
  using Write = std::function<void(std::string_view text)>;
  Waveform(Cycle from, Cycle to, Write write) : from_(from), to_(to), write_(std::move(write)) {}

  /// A signal of `bits` bits (two's complement), without a value until it gets one. Signals of one scope have
  /// to be declared one after the other. Returns what set() takes.
  std::size_t add(const std::string& scope, const std::string& name, int bits);
  /// Value from this cycle on; none shows as high impedance.
  void set(std::size_t signal, std::optional<std::int64_t> value) { signals_[signal].value = value; }
  [[nodiscard]] bool covers(Cycle cycle) const { return cycle >= from_ && cycle < to_; }
  /// Writes the changes at `cycle`, which is later than the last one and covered.
  void sample(Cycle cycle);

  /// Writes what is left; the last call.
  void finish();

 private:
  struct Signal {
    std::string scope, name, code;
    int bits = 1;
    std::optional<std::int64_t> value;
    std::optional<std::int64_t> written;
    bool is_written = false;
  };
  void append(const Signal& signal);
  void append_declarations();

  Cycle from_, to_;
  Write write_;
  Cycle last_ = -1;
  std::vector<Signal> signals_;
  bool is_declared_ = false;
  std::string pending_;  ///< Not written yet.
};

}  // namespace qsim
