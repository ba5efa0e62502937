#include "tests/unit/simulate/draws.h"

namespace qsim::test {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kSanitized = true;
#elif defined(__has_feature)
constexpr bool kSanitized = __has_feature(address_sanitizer);
#else
constexpr bool kSanitized = false;
#endif

constexpr std::uint32_t kApart = kSanitized ? 4 : 1;

}  // namespace

std::uint32_t apart() {
  return kApart;
}

int hits(int count) {
  return kSanitized ? -1 : count;
}

int draws(int count) {
  constexpr int kOneOf = kApart;
  return (count + kOneOf - 1) / kOneOf;
}

}  // namespace qsim::test
