// Which of the compiled kernels this computer runs.
#pragma once

namespace qsim::arithmetic {

/// Highway's name of the instruction set that the fast kernels were chosen for: "AVX2", "NEON"; "EMU128" or
/// "SCALAR" for the portable ones. Results are the same on all of them.
[[nodiscard]] const char* kernel_target_name();

}  // namespace qsim::arithmetic
