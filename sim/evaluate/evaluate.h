// A labelled data set through the chip: what it classifies right, and what one inference costs.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "hw_models/hardware_config.h"
#include "sim/evaluate/accuracy.h"
#include "sim/result.h"
#include "workloads/dataset/dataset.h"
#include "workloads/dataset/preprocess.h"
#include "workloads/graph/graph.h"

namespace qsim {

class Mapper;

/// Images whose label is among this many best classes count for top-5.
inline constexpr std::int64_t kTopClasses = 5;

struct EvaluateOptions {
  int jobs = 1;                    ///< Processes.
  bool strict = false;             ///< An image that cannot be read is an error, not left out.
  std::int64_t limit = 0;          ///< So many images, spread evenly over the set; 0: all.
  std::vector<std::int64_t> rows;  ///< These images alone; empty: as `limit` says.
  std::int64_t label_offset = 0;   ///< Class index of label 0 (1 where class 0 is "background").
  std::string output;              ///< Name of the output with the scores; empty: the only one.
  bool keep_inputs = false;        ///< Fill Evaluation::inputs.
  bool keep_logits = false;        ///< Fill Evaluation::logits.
  const Mapper* mapper = nullptr;  ///< Chooses the mappings; absent: CostMapper.
  std::function<void(std::int64_t done, std::int64_t total)> on_progress;
};

/// What one image gave.
struct Prediction {
  std::int64_t index = 0;  ///< In the data set.
  std::string name;
  std::int64_t label = 0;             ///< As a class index of the network.
  std::vector<std::int32_t> classes;  ///< The best ones, best first; empty where the image could not be read.
  std::string problem;                ///< Why it could not.

  [[nodiscard]] bool is_read() const { return problem.empty(); }
  [[nodiscard]] bool is_right(std::int64_t among) const;
};

struct Evaluation {
  std::vector<Prediction> predictions;  ///< In the order of the set.
  std::int64_t failed = 0;              ///< Images that could not be read.
  std::int64_t classes = 0;             ///< Of the network.
  Proportion top1;                      ///< Of the images that could be read.
  std::optional<Proportion> top5;       ///< Where the network has more than five classes.
  /// One inference: cycles, events, traffic. Its rows' accumulators saw all images.
  RunResult inference;
  /// Every input tensor, one behind the other: [images, ...]. Of an image that could not be read: zeros.
  std::optional<TensorData> inputs;
  /// What classes are chosen by, [images, classes] as floats: real values of the scores, or of the input of
  /// the softmax that they come from. Of an image that could not be read: NaN.
  std::optional<TensorData> logits;
  /// Set where SIGINT, SIGTERM or SIGHUP ended it early; then only `done` of `asked` is filled as well.
  int signal = 0;
  std::int64_t done = 0;
  std::int64_t asked = 0;
};

/// Runs every image: `graph` (validated, batch 1) has one input to fill. Cycles and energy do not depend on
/// values and are found once. The result does not depend on `jobs`. The caller must have no other thread.
///
/// Throws InputError where network and data do not fit together, where the network cannot run on the chip,
/// with `strict` for the first image that cannot be read, and where no image can.
[[nodiscard]] Evaluation evaluate(const HardwareConfig& hardware, const Graph& graph, const Dataset& data,
                                  const Preprocess& preprocess, const EvaluateOptions& options);

}  // namespace qsim
