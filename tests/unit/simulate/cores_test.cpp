// Two cores on one memory run a program each.
#include <catch2/catch.hpp>

#include <algorithm>
#include <numeric>

#include "tests/unit/simulate/chip_bench.h"

namespace qsim {
namespace {

using test::CompiledNetwork;
using test::ValuesAndRun;

/// Two networks that fit a chip; what does not fit is told apart before anything is simulated.
struct Two {
  HardwareConfig chip;
  std::unique_ptr<CompiledNetwork> first, second;
};

std::vector<Two> random_twos(std::size_t count, std::uint32_t seed) {
  std::vector<Two> twos;
  for (; twos.size() < count; ++seed) {
    test::Choice choice(seed);
    const HardwareConfig chip = test::random_chip(choice);
    test::RandomNetwork first = test::random_network(choice);
    test::RandomNetwork second = test::random_network(choice);
    if (!test::fits(first.graph, chip) || !test::fits(second.graph, chip)) continue;
    twos.push_back({chip, std::make_unique<CompiledNetwork>(std::move(first), chip),
                    std::make_unique<CompiledNetwork>(std::move(second), chip)});
  }
  return twos;
}

/// Values of both, in the order of the arguments.
std::pair<ValuesAndRun, std::vector<std::vector<std::byte>>> run_both(const HardwareConfig& chip,
                                                                      const CompiledNetwork& first,
                                                                      const CompiledNetwork& second) {
  ChipValues first_values(first.network.graph, first.compiled);
  ChipValues second_values(second.network.graph, second.compiled);
  ChipOptions options;
  options.moves_values = true;
  options.on_row_complete = [&](std::int32_t row, RowWindow window, const ChipMemory& memory) {
    row < first.rows() ? first_values.collect(row, window, memory)
                       : second_values.collect(row - first.rows(), window, memory);
  };
  ChipRun run = run_cores(chip, {&first.compiled.program, &second.compiled.program}, options);
  return {{all_bytes(first_values, first), std::move(run)}, all_bytes(second_values, second)};
}

std::int64_t cycles_of(const CycleBreakdown& breakdown) {
  return std::accumulate(breakdown.begin(), breakdown.end(), std::int64_t{0});
}

/// Every row is complete once, and the cycles between completions are those that the classes sum up to.
void check_accounting(const ChipRun& run) {
  std::vector<std::int32_t> sorted = run.completion;
  std::ranges::sort(sorted);
  std::int64_t completed = 0;
  for (std::size_t i = 0; i < run.completion.size(); ++i) {
    REQUIRE(sorted[i] == static_cast<std::int32_t>(i));
    const auto row = static_cast<std::size_t>(run.completion[i]);
    CHECK(cycles_of(run.breakdown[row]) == run.rows[row].completed - completed);
    completed = run.rows[row].completed;
  }
}

/// Whether a row of the second core completes before the last one of the first.
bool is_interleaved(const ChipRun& run, std::int32_t first_rows) {
  const auto last = std::ranges::find(run.completion, first_rows - 1);
  return std::any_of(run.completion.begin(), last, [&](std::int32_t row) { return row >= first_rows; });
}

TEST_CASE("two cores on one memory compute what each computes alone, whoever has the first rows") {
  int interleaved = 0;
  for (const Two& two : random_twos(12, 400)) {
    const ValuesAndRun first = run_alone(two.chip, *two.first);
    const ValuesAndRun second = run_alone(two.chip, *two.second);
    for (const bool swap : {false, true}) {
      const CompiledNetwork& a = swap ? *two.second : *two.first;
      const CompiledNetwork& b = swap ? *two.first : *two.second;
      const ValuesAndRun& a_alone = swap ? second : first;
      const ValuesAndRun& b_alone = swap ? first : second;
      const auto [both, b_bytes] = run_both(two.chip, a, b);
      CHECK((both.bytes == a_alone.bytes));
      CHECK((b_bytes == b_alone.bytes));
      // Nothing is done twice or for the other core.
      for (std::size_t row = 0; row < both.run.activity.size(); ++row) {
        const auto rows = static_cast<std::size_t>(a.rows());
        const Activity& alone = row < rows ? a_alone.run.activity[row] : b_alone.run.activity[row - rows];
        CHECK(both.run.activity[row].counts == alone.counts);
      }
      check_accounting(both.run);
      if (is_interleaved(both.run, a.rows())) ++interleaved;
    }
  }
  CHECK(interleaved > 12);  // it is not that one core waits for the other
}

TEST_CASE("cores that load at the same time share the bandwidth of the memory") {
  for (const Two& two : random_twos(40, 700)) {
    if (two.chip.dram.kind == DramKind::none || two.chip.dma.channel_order == ChannelOrder::fixed) continue;
    HardwareConfig chip = two.chip;
    chip.dram.bandwidth_bytes_per_second = 100'000'000;  // the memory alone decides
    const std::vector<const Program*> twice = {&two.first->compiled.program, &two.first->compiled.program};
    const ChipRun alone = run_chip(chip, two.first->compiled.program, {});
    const ChipRun both = run_cores(chip, twice, {});
    const auto end = [](const ChipRun& run) {
      return run.rows[static_cast<std::size_t>(run.completion.back())].completed;
    };
    CHECK(end(both) > end(alone) * 3 / 2);
    CHECK(end(both) <= end(alone) * 2 + 1000);
    return;
  }
  FAIL("no chip with memory");
}

}  // namespace
}  // namespace qsim
