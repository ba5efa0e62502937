// A folder of JPEG and PNG files with a table of labels.
#pragma once

#include <memory>
#include <string>

#include "workloads/dataset/dataset.h"

namespace qsim {

/// `labels` is a CSV file whose header names the columns `file` and `label` (others are ignored): paths below
/// `folder`, and integers from 0 to kMaxLabels - 1. The order of the file is the order of the images. Throws
/// InputError with all its problems: fields missing or too many, a file twice, not there, or outside the
/// folder.
[[nodiscard]] std::unique_ptr<Dataset> open_image_folder(const std::string& folder,
                                                         const std::string& labels);

/// A file of one image has at most so many bytes.
inline constexpr std::int64_t kMaxImageFileBytes = std::int64_t{1} << 28;

}  // namespace qsim
