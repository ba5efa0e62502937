// How much random tests draw.
//
// What a test claims of many cases, the plain build shows on all of them. Under sanitizers, which look for
// faults of memory and arithmetic and take nine times as long, each test draws a quarter of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace qsim::test {

/// One of so many cases is drawn: 1, or 4 under sanitizers.
[[nodiscard]] std::uint32_t apart();

/// Of `count` cases those that are drawn.
[[nodiscard]] int draws(int count);

/// How many of the cases have to be of some kind: `count`; under sanitizers any number, -1.
[[nodiscard]] int hits(int count);

/// The cases of a list that are drawn, the first among them.
template <typename Case>
[[nodiscard]] std::vector<Case> drawn(const std::vector<Case>& cases) {
  std::vector<Case> found;
  for (std::size_t i = 0; i < cases.size(); i += apart()) found.push_back(cases[i]);
  return found;
}

}  // namespace qsim::test
