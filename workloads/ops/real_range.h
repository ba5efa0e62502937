// A range of real numbers.
#pragma once

namespace qsim {

struct RealRange {
  float low = 0.0F, high = 0.0F;
};

}  // namespace qsim
