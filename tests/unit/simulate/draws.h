// How much random tests draw.
//
// What a test claims of many random cases it shows on a quarter of them; with QSIM_DRAWS=all in the
// environment (scripts/test --all-draws) on all. Lists that are chosen by hand are drawn whole. Under
// sanitizers, which look for faults of memory and arithmetic and take nine times as long, a quarter of the
// random cases is drawn again, and as small a part of the lists.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace qsim::test {

/// One of so many random cases is drawn. Throws std::runtime_error where QSIM_DRAWS is something else than
/// "all".
[[nodiscard]] std::uint32_t apart();

/// Of `count` random cases those that are drawn: four at least.
[[nodiscard]] int draws(int count);

/// How many of the random cases have to be of some kind, of `count` of all: as large a part as is drawn, less
/// two standard deviations of such a number, sqrt(part); under sanitizers any number, -1.
[[nodiscard]] int hits(int count);

/// Of `count` cases of a list those that are drawn: all; under sanitizers one of apart().
[[nodiscard]] int drawn(int count);

/// How many of a list have to be of some kind: `count`; under sanitizers any number, -1.
[[nodiscard]] int hits_of_list(int count);

/// The cases of a list that are drawn, the first among them.
template <typename Case>
[[nodiscard]] std::vector<Case> drawn(const std::vector<Case>& cases) {
  const auto count = static_cast<std::size_t>(drawn(static_cast<int>(cases.size())));
  std::vector<Case> found;
  for (std::size_t i = 0; i < count; ++i) found.push_back(cases[i * cases.size() / count]);
  return found;
}

}  // namespace qsim::test
