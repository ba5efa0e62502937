#include "tests/unit/simulate/draws.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>

namespace qsim::test {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kSanitized = true;
#elif defined(__has_feature)
constexpr bool kSanitized = __has_feature(address_sanitizer);
#else
constexpr bool kSanitized = false;
#endif

constexpr std::uint32_t kApart = 4;
constexpr int kLeastDraws = 4;

bool all_are_asked_for() {
  const char* asked = std::getenv("QSIM_DRAWS");  // NOLINT(concurrency-mt-unsafe): nobody sets it
  if (asked == nullptr || std::string_view(asked).empty()) return false;
  if (std::string_view(asked) != "all")
    throw std::runtime_error("QSIM_DRAWS: got \"" + std::string(asked) + "\", expected \"all\" or nothing");
  return true;
}

int one_of(int count) {
  const int parts = static_cast<int>(apart());
  return (count + parts - 1) / parts;
}

}  // namespace

std::uint32_t apart() {
  return (all_are_asked_for() ? 1U : kApart) * (kSanitized ? kApart : 1);
}

int draws(int count) {
  return std::max(one_of(count), std::min(count, kLeastDraws));
}

int hits(int count) {
  if (kSanitized) return -1;
  if (apart() == 1) return count;
  const double expected = static_cast<double>(count) / apart();
  return std::max(0, static_cast<int>(expected - 2.0 * std::sqrt(expected)));
}

int drawn(int count) {
  return kSanitized ? one_of(count) : count;
}

int hits_of_list(int count) {
  return kSanitized ? -1 : count;
}

}  // namespace qsim::test
