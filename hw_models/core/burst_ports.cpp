#include "hw_models/core/burst_ports.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace qsim {

BurstPorts::Cycle BurstPorts::take(Cycle earliest, std::int64_t beats) {
  if (window_.end < earliest) {
    window_before_ = window_;
    window_ = {earliest, earliest};
  }
  const Cycle begin = window_.end;
  window_.end += beats;
  if (taken_ports_) taken_ports_();
  return begin;
}

void BurstPorts::arrive(Cycle now, std::int64_t beats, std::function<void()> accepted) {
  switch (arbitration_) {
    case Arbitration::fixed:
      accepted();
      return;
    case Arbitration::write_first:
      accept_at(take(now + 1, beats) - 1, now, std::move(accepted));
      return;
    case Arbitration::read_first:
      waiting_.push_back({now, beats, std::move(accepted)});
      return;
  }
}

void BurstPorts::accept_at(Cycle cycle, Cycle now, std::function<void()> accepted) {
  if (cycle <= now) {
    accepted();
    return;
  }
  accepted_.push_back({cycle, std::move(accepted)});
}

void BurstPorts::accept_waiting(Cycle now) {
  while (!waiting_.empty() && waiting_.front().arrival < now) {
    Burst burst = std::move(waiting_.front());
    waiting_.pop_front();
    accept_at(take(now, burst.beats), now, std::move(burst.accepted));
  }
}

std::optional<BurstPorts::Cycle> BurstPorts::next_begin() const {
  return accepted_.empty() ? std::nullopt : std::optional(accepted_.front().cycle);
}

void BurstPorts::begin(Cycle now) {
  while (!accepted_.empty() && accepted_.front().cycle <= now) {
    const std::function<void()> accepted = std::move(accepted_.front().accepted);
    accepted_.pop_front();
    accepted();
  }
}

bool BurstPorts::is_taken(Cycle cycle) const {
  if (arbitration_ != Arbitration::write_first) return false;
  const auto covers = [cycle](const Window& window) { return cycle >= window.begin && cycle < window.end; };
  return covers(window_) || covers(window_before_);
}

BurstPorts::Cycle BurstPorts::next_taken(Cycle now) const {
  constexpr Cycle kNever = std::numeric_limits<Cycle>::max();
  if (arbitration_ != Arbitration::write_first || window_.end <= now) return kNever;
  return std::max(now, window_.begin);
}

}  // namespace qsim
