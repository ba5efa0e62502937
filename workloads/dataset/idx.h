// IDX, the format of MNIST and its kin: a magic number, big-endian dimensions, unsigned bytes.
// Source: LeCun, Cortes, Burges, "The MNIST database of handwritten digits", "File formats".
#pragma once

#include <memory>
#include <string>

#include "workloads/dataset/dataset.h"

namespace qsim {

/// Grey images [count, rows, columns] and as many labels, plain files or gzip. An empty `labels` stands for
/// the file beside `images` whose name has labels and idx1 for images and idx3. Throws InputError where the
/// dimensions do not agree with each other or with the files' sizes.
[[nodiscard]] std::unique_ptr<Dataset> open_idx(const std::string& images, const std::string& labels);

/// The files of a folder by their usual names: split `test` is t10k-images-idx3-ubyte and
/// t10k-labels-idx1-ubyte, `train` train-...; each may end in .gz, and have a dot before idx.
[[nodiscard]] std::unique_ptr<Dataset> open_idx_folder(const std::string& folder, const std::string& split);

/// A gzip file may hold at most so many bytes.
inline constexpr std::int64_t kMaxGunzippedBytes = std::int64_t{1} << 28;

}  // namespace qsim
