// What a command waits for and what it signals: the only thing that units know of each other.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "hw_models/cycle.h"
#include "hw_models/timeline.h"
#include "hw_models/token.h"

namespace qsim {

/// At most `kMost` items, in place: commands are copied from queue to queue.
template <typename Item, std::size_t kMost>
class ShortList {
 public:
  void add(const Item& item) { items_.at(size_++) = item; }
  [[nodiscard]] const Item* begin() const { return items_.data(); }
  [[nodiscard]] const Item* end() const { return items_.data() + size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }

 private:
  std::array<Item, kMost> items_{};
  std::size_t size_ = 0;
};

/// Credits that are taken before a command begins, and what the timeline calls the wait (absent: the wait is
/// nobody's).
struct Wait {
  Token* token = nullptr;
  std::optional<Span> reason;
  std::int32_t credits = 1;
};
/// Credits that are given when a command has come so far.
struct Signal {
  Token* token = nullptr;
  std::int32_t credits = 1;
};

/// In the order in which they are taken and given.
template <std::size_t kMost>
using Waits = ShortList<Wait, kMost>;
template <std::size_t kMost>
using Signals = ShortList<Signal, kMost>;

/// Takes all of them, in the calling SC_THREAD; `timeline` gets the waits that have a name, under `row`.
template <std::size_t kMost>
void take(const Waits<kMost>& waits, Timeline& timeline, std::int32_t row) {
  for (const Wait& wait : waits) {
    const Cycle since = now_cycle();
    wait.token->acquire(wait.credits);
    if (wait.reason) timeline.record(*wait.reason, row, since, now_cycle());
  }
}

template <std::size_t kMost>
void give(const Signals<kMost>& signals) {
  for (const Signal& signal : signals) signal.token->release(signal.credits);
}

}  // namespace qsim
