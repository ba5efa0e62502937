// Dependency tokens: counting semaphores between the queues of the controller.
#pragma once

#include <cstdint>
#include <functional>
#include <systemc>

namespace qsim {

/// A count of credits; a unit that takes one waits until it is there. A producer that fills one of two slots
/// takes a "free" token and gives a "ready" token; the consumer does the reverse.
class Token {
 public:
  /// Takes `credits`; waits in the calling SC_THREAD until they are there.
  void acquire(std::int64_t credits = 1) {
    while (credits_ < credits) sc_core::wait(released_);
    credits_ -= credits;
  }
  void release(std::int64_t credits = 1) {
    credits_ += credits;
    if (on_release) on_release();
    released_.notify(sc_core::SC_ZERO_TIME);
  }
  /// Sets the credits, where nobody is waiting and nothing is in flight (start of a nest).
  void reset(std::int64_t credits) { credits_ = credits; }
  [[nodiscard]] std::int64_t credits() const { return credits_; }
  /// Who watches the credits come; may be empty.
  std::function<void()> on_release;

 private:
  std::int64_t credits_ = 0;
  sc_core::sc_event released_;
};

}  // namespace qsim
