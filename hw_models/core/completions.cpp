#include "hw_models/core/completions.h"

#include <utility>

namespace qsim {

Completions::Completions(sc_core::sc_module_name name, Processes& processes)
    : sc_module(name), processes_(processes) {
  SC_METHOD(run);
  sensitive << wake_;
  dont_initialize();
}

void Completions::at(Cycle cycle, std::function<void()> action) {
  pending_.emplace(cycle, std::move(action));
  // An event keeps its earliest notification, so this never delays one that is due sooner.
  const Cycle delay = cycle - now_cycle();
  if (delay <= 0) {
    wake_.notify(sc_core::SC_ZERO_TIME);
  } else {
    wake_.notify(cycles_to_time(delay));
  }
}

void Completions::run() {
  processes_.guard([this] {
    const Cycle now = now_cycle();
    while (!pending_.empty() && pending_.begin()->first <= now) {
      const auto action = std::move(pending_.begin()->second);
      pending_.erase(pending_.begin());
      action();
    }
  });
  if (!pending_.empty()) wake_.notify(cycles_to_time(pending_.begin()->first - now_cycle()));
}

}  // namespace qsim
