#include "sim/compiler/activation_map.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>

namespace {

/// Storages of 64 bytes a unit with random lives.
qsim::Schedule random_schedule(std::mt19937& random, int rows, int storages) {
  qsim::Schedule schedule;
  schedule.rows.resize(static_cast<std::size_t>(rows));
  std::uniform_int_distribution<int> row(0, rows - 1);
  for (int s = 0; s < storages; ++s) {
    qsim::Storage storage;
    const auto [first, last] = std::minmax({row(random), row(random)});
    storage.first_row = first;
    storage.last_row = last;
    storage.bytes = 64 * std::uniform_int_distribution<int>(1, 5)(random);
    schedule.storages.push_back(storage);
  }
  return schedule;
}

/// Which of `units` pieces of 64 bytes are free during [first, last], looked up storage by storage.
std::vector<bool> free_units(const qsim::Schedule& schedule, const std::vector<int>& kept,
                             const std::vector<std::int64_t>& addresses, int first, int last,
                             std::int64_t units) {
  std::vector<bool> free(static_cast<std::size_t>(units), true);
  for (std::size_t i = 0; i < kept.size(); ++i) {
    const qsim::Storage& storage = schedule.storages[static_cast<std::size_t>(kept[i])];
    if (storage.last_row < first || storage.first_row > last) continue;
    const std::int64_t begin = addresses[i] / 64;
    for (std::int64_t u = begin; u < std::min(units, begin + storage.bytes / 64); ++u)
      free[static_cast<std::size_t>(u)] = false;
  }
  return free;
}

}  // namespace

TEST_CASE("free space is what no resident storage takes in any of the rows") {
  constexpr std::int64_t kUnits = 40;
  std::mt19937 random(3);
  for (const int rows : {1, 2, 7, 64, 100}) {
    const qsim::Schedule schedule = random_schedule(random, rows, 60);
    qsim::ActivationMap map(schedule, true);
    std::vector<int> kept;
    std::vector<std::int64_t> addresses;
    for (int s = 0; s < 60; ++s) {
      const auto place = map.place(s, qsim::Stay::kept, kUnits * 64);
      if (!place) continue;
      map.keep(s, qsim::Stay::kept, *place);
      if (s % 5 == 4) {  // Some are given up again.
        map.release(s);
        continue;
      }
      kept.push_back(s);
      addresses.push_back(*place);
    }
    for (int first = 0; first < rows; ++first) {
      const int last = std::min(rows - 1, first + static_cast<int>(random() % 5));
      std::vector<bool> free(kUnits, false);
      for (const auto& [begin, end] :
           map.free_intervals(static_cast<std::size_t>(first), static_cast<std::size_t>(last), kUnits * 64)) {
        for (std::int64_t u = begin / 64; u < end / 64; ++u) free[static_cast<std::size_t>(u)] = true;
      }
      CAPTURE(rows, first, last);
      CHECK(free == free_units(schedule, kept, addresses, first, last, kUnits));
    }
  }
}
