#include "hw_models/arithmetic/kernel_target.h"

#include <algorithm>
#include <iterator>

#define HWY_WANT_AVX3_DL
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "hw_models/arithmetic/kernel_target.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace qsim::arithmetic::HWY_NAMESPACE {

std::int64_t ThisTarget() {
  return HWY_TARGET;
}

}  // namespace qsim::arithmetic::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace qsim::arithmetic {

namespace {

std::string name_of(std::int64_t target) {
  return target == HWY_EMU128 || target == HWY_SCALAR ? "portable" : hwy::TargetName(target);
}

/// What the CPU offers, whatever select_kernel_target() restricts it to. Best first: ascending.
const std::vector<std::int64_t>& available_targets() {
  static const std::vector<std::int64_t> targets = hwy::SupportedAndGeneratedTargets();
  return targets;
}

}  // namespace

HWY_EXPORT(ThisTarget);

std::string kernel_target_name() {
  return name_of(HWY_DYNAMIC_DISPATCH(ThisTarget)());
}

std::vector<std::string> kernel_targets() {
  std::vector<std::string> names;
  std::ranges::transform(available_targets(), std::back_inserter(names), name_of);
  return names;
}

bool select_kernel_target(const std::string& name) {
  std::int64_t mask = 0;  // No restriction.
  for (const std::int64_t target : available_targets()) {
    if (mask != 0 || name_of(target) == name) mask |= target;
  }
  if (mask == 0 && !name.empty()) return false;
  hwy::SetSupportedTargetsForTest(mask);
  hwy::GetChosenTarget().DeInit();  // The next call of a kernel chooses again.
  return true;
}

}  // namespace qsim::arithmetic
#endif
