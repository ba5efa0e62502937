// CIFAR-10 in its binary format: records of one label byte and 32 x 32 pixels, planes red, green, blue.
// Source: Krizhevsky, "Learning multiple layers of features from tiny images", 2009, "binary version".
#pragma once

#include <memory>
#include <string>

#include "workloads/dataset/dataset.h"

namespace qsim {

/// `path` is a file, or a folder whose files test_batch*.bin are read in the order of their names: the
/// training images of the same folder never get among them by accident. Throws InputError where a size is
/// not a multiple of 3,073 bytes or a label above 9.
[[nodiscard]] std::unique_ptr<Dataset> open_cifar10(const std::string& path);

}  // namespace qsim
