// Labelled images: CIFAR-10, folders with a labels file, IDX (MNIST and its kin).
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "workloads/dataset/image.h"

namespace qsim {

/// Every size and label is checked when the data set is opened; pixels are read when asked for. Members may
/// be called from several threads, and after a fork: files are read at offsets of their own, or held in
/// memory.
class Dataset {
 public:
  Dataset() = default;
  Dataset(const Dataset&) = delete;
  Dataset& operator=(const Dataset&) = delete;
  virtual ~Dataset() = default;

  /// At least 1. Indices below run from 0 to size() - 1.
  [[nodiscard]] virtual std::int64_t size() const = 0;
  /// 0 to label_count() - 1.
  [[nodiscard]] virtual std::int64_t label(std::int64_t index) const = 0;
  /// What messages call the image: "n01440764_tench.JPEG", "test_batch.bin#17" (images count from 0).
  [[nodiscard]] virtual std::string name(std::int64_t index) const = 0;
  /// Throws InputError when this one is missing, corrupt or too large.
  [[nodiscard]] virtual Image image(std::int64_t index) const = 0;
  /// What the format says, else the greatest label + 1.
  [[nodiscard]] virtual std::int64_t label_count() const = 0;
};

/// `spec` is FORMAT:PATH[,OPTION=VALUE], docs/datasets.md:
///   cifar10:FILE_OR_FOLDER                                       open_cifar10
///   images:FOLDER[,labels=FILE.csv]                              open_image_folder; labels.csv in the folder
///   idx:FOLDER[,split=test|train] or idx:IMAGES[,labels=FILE]    open_idx_folder, open_idx
/// Throws InputError with every problem of the labels (at most kMostListedProblems are listed).
[[nodiscard]] std::unique_ptr<Dataset> open_dataset(const std::string& spec);

/// A data set has at most so many images, and labels below it.
inline constexpr std::int64_t kMaxDatasetImages = 20'000'000;
inline constexpr std::int64_t kMaxLabels = 1'000'000;

}  // namespace qsim
