// Files and standard output of a run.
#pragma once

#include <string>
#include <string_view>

#include "sim/cli/options.h"

namespace qsim::cli {

/// Looks, before a long run, whether the files asked for can be written: no two the same, folders that exist
/// and may be written to. Throws InputError with every problem.
void check_output_paths(const RunOptions& options);

/// Writes to standard output and flushes; throws InputError when that fails (a full disk, a closed pipe).
void write_standard_output(std::string_view text);

}  // namespace qsim::cli
