// Which of the compiled kernels this computer runs: integer and float products, requantization, depthwise.
#pragma once

#include <string>
#include <vector>

namespace qsim::arithmetic {

/// Highway's name of the instruction set that the fast kernels were chosen for: "AVX2", "NEON"; "portable"
/// for plain C++. Results are the same on all of them.
[[nodiscard]] std::string kernel_target_name();

/// Names of the instruction sets that this computer can run the kernels on, best first; "portable" is last.
[[nodiscard]] std::vector<std::string> kernel_targets();

/// Restricts all kernels to one of kernel_targets(); where one was not compiled for it, to the next that it
/// was. Empty lifts the restriction. False, and nothing changes, where there is no such name. Not while
/// kernels run.
bool select_kernel_target(const std::string& name);

}  // namespace qsim::arithmetic
