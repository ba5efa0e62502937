// Files and standard output of a command.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/cli/shipped_files.h"

namespace qsim::cli {

/// Pairs of argument and path.
using FileArguments = std::vector<std::pair<std::string, std::string>>;

/// Looks, before a long run, whether the files asked for can be written: no two the same, none that is read
/// (by another name or link either), folders that exist and may be written to. Throws InputError with every
/// problem.
void check_output_paths(const FileArguments& outputs, const FileArguments& inputs);

/// `inputs`, and beside each the files that it may name by the names that ship.
[[nodiscard]] FileArguments with_shipped_files(const FileArguments& inputs, const ShippedFiles& files);

/// Writes to standard output and flushes; throws InputError when that fails (a full disk, a closed pipe).
void write_standard_output(std::string_view text);

}  // namespace qsim::cli
