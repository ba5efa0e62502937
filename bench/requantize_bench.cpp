// Speed of requantization: outputs a second by profile and instruction set.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "hw_models/arithmetic/gemm.h"
#include "hw_models/arithmetic/kernel_target.h"
#include "hw_models/arithmetic/requantize_block.h"

using namespace qsim::arithmetic;

int main() {
  constexpr std::int64_t kRows = 784;
  constexpr std::int64_t kColumns = 256;
  std::vector<std::int32_t> in(kRows * kColumns);
  for (std::size_t i = 0; i < in.size(); ++i) in[i] = static_cast<std::int32_t>(i * 2654435761U) >> 12;
  std::vector<std::int8_t> out(in.size());
  std::printf("%-10s %-30s  million outputs/s\n", "target", "profile");
  for (const std::string& target : kernel_targets()) {
    select_kernel_target(target);
    for (const RoundingProfile profile :
         {RoundingProfile::float32, RoundingProfile::fixed_point_double_rounding,
          RoundingProfile::fixed_point_single_rounding, RoundingProfile::fixed_point_16bit_multiplier,
          RoundingProfile::float64, RoundingProfile::power_of_two}) {
      const std::vector<ChannelScale> scale{make_channel_scale(profile, 0.001F, 0.7F, 1.0F)};
      const ChannelScales scales(profile, scale, kColumns);
      double best_seconds = 1e9;
      for (int repeat = 0; repeat < 10; ++repeat) {
        const auto start = std::chrono::steady_clock::now();
        requantize_block(scales, {0, -128, 127},
                         RequantizeBlock<std::int32_t, std::int8_t>{in.data(), kColumns, kRows, kColumns, 0,
                                                                    out.data(), kColumns});
        const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
        best_seconds = std::min(best_seconds, seconds.count());
      }
      std::printf("%-10s %-30s  %.0f\n", target.c_str(), rounding_profile_name(profile),
                  static_cast<double>(in.size()) / best_seconds / 1e6);
    }
  }
}
