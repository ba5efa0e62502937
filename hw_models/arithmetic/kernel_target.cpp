#include "hw_models/arithmetic/kernel_target.h"

#define HWY_WANT_AVX3_DL
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "hw_models/arithmetic/kernel_target.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace qsim::arithmetic::HWY_NAMESPACE {

const char* target_name() {
  return hwy::TargetName(HWY_TARGET);
}

}  // namespace qsim::arithmetic::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace qsim::arithmetic {

HWY_EXPORT(target_name);

const char* kernel_target_name() {
  return HWY_DYNAMIC_DISPATCH(target_name)();
}

}  // namespace qsim::arithmetic
#endif
