// Files that name rows of a data set.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace qsim {

/// Row numbers of a data set, counted from 0: text, one number a line; blank lines are passed over. In the
/// order of the file. `rows` is how many the data set has, `data` what messages call it. Throws InputError
/// with every line that is no number, is out of range or names a row again, and where there is no row at all.
[[nodiscard]] std::vector<std::int64_t> read_row_list(const std::string& path, std::int64_t rows,
                                                      const std::string& data);

/// A list has at most so many bytes: 20,000,000 rows of eight digits.
inline constexpr std::int64_t kMaxRowListBytes = 200'000'000;

}  // namespace qsim
