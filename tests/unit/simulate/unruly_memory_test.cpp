// A memory that completes requests out of order, and later than it had said when others arrive.
#include <catch2/catch.hpp>

#include <algorithm>
#include <numeric>

#include "tests/unit/simulate/chip_bench.h"
#include "tests/unit/simulate/draws.h"

namespace qsim {
namespace {

using test::CompiledNetwork;
using test::ValuesAndRun;

struct Unruliness {
  std::int64_t requests = 0, overtaken = 0, postponed = 0;
};

/// A request takes 5 to 80 cycles and is put off by up to 6 more for each that arrives meanwhile. It is
/// accepted 0 to 9 cycles after it came.
class UnrulyMemory : public MemoryModel {
 public:
  UnrulyMemory(std::uint32_t seed, Unruliness& unruliness) : choice_(seed), unruliness_(unruliness) {}

  std::optional<std::int64_t> arrive(std::int64_t now, const MemoryRequest& request) override {
    for (Pending& pending : pending_) {
      const std::int64_t put_off = choice_.between(0, 6);
      pending.due += put_off;
      if (put_off > 0) ++unruliness_.postponed;
    }
    pending_.push_back({request.id, now + choice_.between(5, 80)});
    ++unruliness_.requests;
    if (choice_.chance(50)) return now + choice_.between(0, 9);
    accepted_.push_back({request.id, now + choice_.between(0, 9)});
    return std::nullopt;
  }

  [[nodiscard]] std::optional<std::int64_t> next() const override {
    std::optional<std::int64_t> cycle;
    for (const auto* list : {&pending_, &accepted_}) {
      for (const Pending& pending : *list) cycle = std::min(cycle.value_or(pending.due), pending.due);
    }
    return cycle;
  }

  std::optional<MemoryEvent> take(std::int64_t now) override {
    if (const std::optional<std::uint64_t> id = take_due(accepted_, now)) {
      return MemoryEvent{MemoryEvent::Kind::accepted, *id};
    }
    if (const std::optional<std::uint64_t> id = take_due(pending_, now)) {
      const auto is_older = [&](const Pending& pending) { return pending.id < *id; };
      if (std::ranges::any_of(pending_, is_older)) ++unruliness_.overtaken;
      std::erase_if(accepted_, [&](const Pending& pending) { return pending.id == *id; });
      return MemoryEvent{MemoryEvent::Kind::complete, *id};
    }
    return std::nullopt;
  }

 private:
  struct Pending {
    std::uint64_t id = 0;
    std::int64_t due = 0;
  };

  /// Of those that are due the latest arrival.
  static std::optional<std::uint64_t> take_due(std::vector<Pending>& list, std::int64_t now) {
    for (auto pending = list.rbegin(); pending != list.rend(); ++pending) {
      if (pending->due > now) continue;
      const std::uint64_t id = pending->id;
      list.erase(std::next(pending).base());
      return id;
    }
    return std::nullopt;
  }

  test::Choice choice_;
  Unruliness& unruliness_;
  std::vector<Pending> pending_, accepted_;
};

ValuesAndRun run_unruly(const HardwareConfig& chip, const CompiledNetwork& network, Fidelity fidelity,
                        Unruliness& unruliness) {
  ChipOptions options;
  options.fidelity = fidelity;
  options.memory = [&](const DramConfig& config, std::int64_t /*clock_khz*/) {
    return config.kind == DramKind::none ? nullptr : std::make_unique<UnrulyMemory>(1, unruliness);
  };
  return run_alone(chip, network, options);
}

void compare_networks(std::size_t count, std::uint32_t seed) {
  Unruliness unruliness;
  std::vector<std::pair<HardwareConfig, std::unique_ptr<CompiledNetwork>>> networks;
  for (auto& [at, network, chip] : test::random_pairs(count, seed)) {
    networks.emplace_back(chip, std::make_unique<CompiledNetwork>(std::move(network), chip));
  }
  for (const auto& [chip, network] : networks) {
    const ValuesAndRun usual = run_alone(chip, *network);
    const ValuesAndRun tile = run_unruly(chip, *network, Fidelity::tile, unruliness);
    const ValuesAndRun pe = run_unruly(chip, *network, Fidelity::pe, unruliness);
    CHECK((tile.bytes == usual.bytes));
    CHECK((pe.bytes == usual.bytes));
    std::int64_t completed = 0;
    for (std::size_t row = 0; row < usual.run.rows.size(); ++row) {
      CHECK(tile.run.activity[row].counts == usual.run.activity[row].counts);
      CHECK(pe.run.activity[row].counts == usual.run.activity[row].counts);
      CHECK(pe.run.breakdown[row] == tile.run.breakdown[row]);
      const CycleBreakdown& breakdown = tile.run.breakdown[row];
      CHECK(std::accumulate(breakdown.begin(), breakdown.end(), std::int64_t{0}) ==
            tile.run.rows[row].completed - completed);
      completed = tile.run.rows[row].completed;
    }
  }
  // The memory was as unruly as it says.
  CHECK(unruliness.overtaken > unruliness.requests / 10);
  CHECK(unruliness.postponed > unruliness.requests / 10);
}

TEST_CASE("a memory that reorders and postpones changes the time and nothing else") {
  compare_networks(test::draws(60), 2000);
}

TEST_CASE("a memory that reorders and postpones changes the time of 1,000 networks and nothing else",
          "[.][long]") {
  compare_networks(1000, 20'000);
}

}  // namespace
}  // namespace qsim
